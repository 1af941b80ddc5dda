import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { EndpointSlice, Service } from '@ballast/kube';
import { sampleService, sampleSlice } from './sample-services.ts';
import { at, tally } from './testbed/cluster.ts';
import { TestNetwork } from './testbed/network.ts';

/** A proxy process that is killed and started again must not be noticed by any packet. */
describe('restart', { skip: process.getuid?.() === 0 ? false : 'needs root for network namespaces' }, () => {
  let network: TestNetwork;
  let folder: string;
  let child: ChildProcess | undefined;

  before(async () => {
    network = await TestNetwork.create();
    folder = await mkdtemp(join(tmpdir(), 'ballast-proxy-'));
  });
  after(async () => {
    child?.kill('SIGKILL');
    await network?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  async function startProxy(services: readonly Service[], slices: readonly EndpointSlice[]): Promise<void> {
    const objects = join(folder, 'objects.json');
    await writeFile(objects, JSON.stringify({ services, slices }));
    const script = fileURLToPath(new URL('testbed/proxy-process.ts', import.meta.url));
    const started = spawn('ip', ['netns', 'exec', network.netns('node'), process.execPath, script, objects], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    child = started;
    await new Promise<void>((resolve, reject) => {
      started.stdout?.once('data', () => resolve());
      started.once('exit', (code) => reject(new Error(`the proxy ended with ${code}`)));
    });
  }

  async function killProxy(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    child?.once('exit', () => resolve());
    child?.kill('SIGKILL');
    await promise;
  }

  const many = Array.from({ length: 200 }, (_, i) => ({
    service: sampleService(`s${i}`, { clusterIP: `10.43.5.${i}` }),
    slice: sampleSlice(`s${i}`, [at('pod-2'), at('pod-3')]),
  }));
  const sticky = sampleService('sticky', { clusterIP: '10.43.0.2', sessionAffinity: 'ClientIP' });
  const services = [sampleService('web', { clusterIP: '10.43.0.1' }), sticky, ...many.map(({ service }) => service)];
  const slices = [
    sampleSlice('web', [at('pod-1'), at('pod-2')]),
    sampleSlice('sticky', [at('pod-1'), at('pod-2'), at('pod-3')]),
    ...many.map(({ slice }) => slice),
  ];
  const connect = (host: string, times: number) => network.order('client', { op: 'tcp', host, port: 80, times });
  const handles = () => network.exec('node', 'nft', '-a', 'list', 'chain', 'ip', 'ballast-proxy', 'services');

  test('SIGKILL: connections go on, new ones are served, and remembered clients stay remembered', async () => {
    await startProxy(services, slices);
    const [held = ''] = await network.order('client', { op: 'hold', host: '10.43.0.1', port: 80, as: 'held' });
    assert.match(held, /^pod-/);
    const [chosen = ''] = await connect('10.43.0.2', 1);
    assert.match(chosen, /^pod-/);
    const before = await handles();

    await killProxy();
    assert.deepEqual(await network.order('client', { op: 'say', as: 'held' }), [held]);
    assert.ok((await connect('10.43.0.1', 20)).every((line) => /^pod-[12] /.test(line)));

    // The successor must not be seen starting: every connection during its start is served.
    const during: string[] = [];
    let isStarting = true;
    const traffic = (async () => {
      while (isStarting) during.push(...(await connect('10.43.0.1', 10)));
    })();
    const withoutFirst = [sampleSlice('web', [at('pod-2')]), ...slices.slice(1)];
    await startProxy(services, withoutFirst);
    isStarting = false;
    await traffic;
    assert.ok(during.length > 0);
    assert.deepEqual(
      Object.keys(tally(during)).filter((line) => !/^pod-[12] /.test(line)),
      [],
    );

    assert.equal(await handles(), before, 'the table was taken over, not written anew');
    assert.deepEqual(await network.order('client', { op: 'say', as: 'held' }), [held]);
    assert.deepEqual(Object.keys(tally(await connect('10.43.0.2', 10))), [chosen]);
    assert.ok(
      (await connect('10.43.0.1', 20)).every((line) => line.startsWith('pod-2')),
      'what changed meanwhile is known',
    );
  });

  test('a table made by other hands is replaced without a gap', async () => {
    await killProxy();
    await network.exec('node', 'nft', 'add', 'rule', 'ip', 'ballast-proxy', 'refuse', 'counter');
    const during: string[] = [];
    let isStarting = true;
    const traffic = (async () => {
      while (isStarting) during.push(...(await connect('10.43.0.1', 10)));
    })();
    await startProxy(services, slices);
    isStarting = false;
    await traffic;
    assert.deepEqual(
      Object.keys(tally(during)).filter((line) => !/^pod-[12] /.test(line)),
      [],
    );
    assert.ok(
      !(await network.exec('node', 'nft', 'list', 'chain', 'ip', 'ballast-proxy', 'refuse')).includes('counter'),
    );
  });

  test('rules and elements that somebody changed behind a running proxy are repaired', async () => {
    await network.exec('node', 'nft', 'flush', 'chain', 'ip', 'ballast-proxy', 'services');
    const endMs = performance.now() + 4000;
    let answer = '';
    while (!/^pod-/.test(answer) && performance.now() < endMs) [answer = ''] = await connect('10.43.0.1', 1);
    assert.match(answer, /^pod-/);
    await network.exec('node', 'nft', 'flush', 'ruleset');
    answer = '';
    const endAgainMs = performance.now() + 4000;
    while (!/^pod-/.test(answer) && performance.now() < endAgainMs) [answer = ''] = await connect('10.43.0.1', 1);
    assert.match(answer, /^pod-/);
  });
});
