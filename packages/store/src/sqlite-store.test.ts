import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silentLogger } from '@ballast/base';
import { openStore } from './sqlite-store.ts';
import { runStoreContract } from './store-contract.ts';

const directory = await mkdtemp(join(tmpdir(), 'ballast-store-'));
after(() => rm(directory, { recursive: true }));
let files = 0;
const freshPath = () => join(directory, `store-${files++}.db`);

runStoreContract('sqlite', () => openStore({ path: freshPath(), logger: silentLogger }));

test('sqlite: state, history and revision survive closing and opening, also after compaction of the last write', async () => {
  const path = freshPath();
  const value = Uint8Array.of(1);
  {
    await using store = await openStore({ path, logger: silentLogger });
    await store.transact([{ type: 'put', key: 'a', value, expectedRevision: 0 }]);
    await store.transact([{ type: 'put', key: 'b', value, expectedRevision: 0 }]);
    await store.transact([{ type: 'delete', key: 'b', expectedRevision: 2 }]);
    await store.compact(3);
  }
  await using store = await openStore({ path, logger: silentLogger });
  assert.equal(store.revision, 3);
  assert.deepEqual(
    (await store.range({ prefix: '' })).entries.map(({ key, revision }) => [key, revision]),
    [['a', 1]],
  );
  const again = await store.transact([{ type: 'put', key: 'a', value, expectedRevision: 1 }]);
  assert.deepEqual(again, { kind: 'committed', revisions: [4] });
});

test('sqlite: a second process is refused while one has the store', async () => {
  const path = freshPath();
  await using store = await openStore({ path, logger: silentLogger });
  await store.transact([{ type: 'put', key: 'a', value: Uint8Array.of(1), expectedRevision: 0 }]);
  await assert.rejects(openStore({ path, logger: silentLogger }), { code: 'unavailable' });
});

test('sqlite: a file that is not a store is refused with its path', async () => {
  await assert.rejects(openStore({ path: directory, logger: silentLogger }), (error: Error) =>
    error.message.includes(directory),
  );
});

test('sqlite: every write acknowledged before SIGKILL is there afterwards, with its revision', {
  timeout: 30_000,
}, async () => {
  const path = freshPath();
  for (let round = 0; round < 3; round++) {
    const child = fork(join(import.meta.dirname, 'testdata/write-loop.ts'), [path, String(round)]);
    const acknowledged = new Map<string, number>();
    child.on('message', (message) => {
      const { key, revision } = message as { key: string; revision: number };
      acknowledged.set(key, revision);
      if (acknowledged.size === 200 + round * 77) child.kill('SIGKILL');
    });
    await once(child, 'exit');
    assert.ok(acknowledged.size >= 200);
    await using store = await openStore({ path, logger: silentLogger });
    for (const [key, revision] of acknowledged) assert.equal((await store.get(key))?.revision, revision, key);
  }
});
