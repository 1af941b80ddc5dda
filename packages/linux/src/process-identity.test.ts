import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { findProcess, formatProcessIdentity, identifyProcess } from './process-identity.ts';

test('a pid file finds its process, and only that one', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'ballast-identity-'));
  const file = join(dir, 'pid');
  const self = await identifyProcess(process.pid);
  assert.ok(self);
  await writeFile(file, formatProcessIdentity(self));
  assert.deepEqual(await findProcess(file), self);
  await writeFile(file, formatProcessIdentity({ ...self, startTime: '1' }));
  assert.equal(await findProcess(file), undefined);
  for (const nonsense of ['', '0 1', '-1 2', 'x', '99999999 5']) {
    await writeFile(file, nonsense);
    assert.equal(await findProcess(file), undefined);
  }
  assert.equal(await findProcess(join(dir, 'missing')), undefined);
  await rm(dir, { recursive: true });
});
