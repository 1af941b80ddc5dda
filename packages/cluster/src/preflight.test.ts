import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { findPreflightProblems, formatPreflightProblems, judgeKernel, missingControllers } from './preflight.ts';

describe('kernel', () => {
  const cases: [release: string, fit: boolean][] = [
    ['6.1.0-18-amd64', true],
    ['5.13.0', true],
    ['5.10.0-28-amd64', false],
    ['4.19.0', false],
    ['7.0', true],
  ];
  for (const [release, fit] of cases) {
    test(`${release} is ${fit ? 'new enough' : 'too old'}`, () => {
      const problem = judgeKernel(release);
      assert.equal(problem === undefined, fit);
      if (problem)
        assert.match(formatPreflightProblems([problem]), new RegExp(`this is ${release}.*: install a newer kernel`));
    });
  }
});

test('control group controllers that are compiled in but switched off are named', () => {
  const table = '#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t3\t1\t1\nmemory\t0\t1\t0\npids\t2\t1\t1\n';
  assert.deepEqual(missingControllers(table), ['memory']);
  assert.deepEqual(missingControllers(''), []);
});

test('a busy port and missing plugins are all named at once, with what to do', async () => {
  const busy = createServer();
  await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
  try {
    const address = busy.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const problems = await findPreflightProblems({
      cniBinDir: '/nowhere',
      ports: [{ port, host: '127.0.0.1', purpose: 'API server' }],
    });
    const text = formatPreflightProblems(problems);
    assert.match(
      text,
      new RegExp(`free port ${port} for the API server: something listens there already; find it with: ss`),
    );
    for (const plugin of ['ptp', 'host-local', 'loopback'])
      assert.match(text, new RegExp(`CNI plugin /nowhere/${plugin}: apt-get install`));
  } finally {
    busy.close();
  }
});
