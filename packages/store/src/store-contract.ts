import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Store, StoreError, type StoreEvent, type WriteOperation } from './store.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string | undefined => value && new TextDecoder().decode(value);
const put = (key: string, value: string, expectedRevision = 0): WriteOperation => ({
  type: 'put',
  key,
  value: bytes(value),
  expectedRevision,
});

/** What every store must do. Runs the same tests against the stores that `open` makes, each of them empty. */
export function runStoreContract(name: string, open: () => Promise<Store>): void {
  const contract = (requirement: string, body: (store: Store) => Promise<void>) =>
    test(`${name}: ${requirement}`, async () => {
      await using store = await open();
      await body(store);
    });

  contract('an empty store is at revision 0 and has nothing', async (store) => {
    assert.equal(store.revision, 0);
    assert.equal(await store.get('a'), undefined);
    assert.deepEqual(await store.range({ prefix: '' }), { entries: [], revision: 0, more: false });
  });

  contract(
    'each write has a revision of its own, and the first write of a key stays its createRevision',
    async (store) => {
      assert.deepEqual(await store.transact([put('a', '1'), put('b', '1')]), { kind: 'committed', revisions: [1, 2] });
      assert.deepEqual(await store.transact([put('a', '2', 1)]), { kind: 'committed', revisions: [3] });
      assert.deepEqual(await store.get('a'), { key: 'a', value: bytes('2'), revision: 3, createRevision: 1 });
      assert.equal(store.revision, 3);
    },
  );

  contract('a key created again after deletion has a new createRevision', async (store) => {
    await store.transact([put('a', '1')]);
    await store.transact([{ type: 'delete', key: 'a', expectedRevision: 1 }]);
    await store.transact([put('a', '2')]);
    assert.equal((await store.get('a'))?.createRevision, 3);
  });

  contract(
    'a wrong expected revision is a conflict that names the present one, and nothing is written',
    async (store) => {
      await store.transact([put('a', '1')]);
      assert.deepEqual(await store.transact([put('b', '1'), put('a', '2')]), {
        kind: 'conflict',
        key: 'a',
        revision: 1,
      });
      assert.deepEqual(await store.transact([put('a', '2', 7)]), { kind: 'conflict', key: 'a', revision: 1 });
      assert.deepEqual(await store.transact([put('c', '1', 7)]), { kind: 'conflict', key: 'c', revision: 0 });
      assert.equal(await store.get('b'), undefined);
      assert.equal(store.revision, 1);
      assert.deepEqual(await store.transact([put('b', '1')]), { kind: 'committed', revisions: [2] });
    },
  );

  contract('deleting what does not exist is a conflict', async (store) => {
    const outcome = await store.transact([{ type: 'delete', key: 'a', expectedRevision: 0 }]);
    assert.deepEqual(outcome, { kind: 'conflict', key: 'a', revision: 0 });
  });

  contract('of concurrent writers that expect the same revision, exactly one wins', async (store) => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, i) => store.transact([put('a', String(i))])));
    assert.equal(outcomes.filter(({ kind }) => kind === 'committed').length, 1);
    assert.equal(store.revision, 1);
  });

  contract('range reads a prefix in key order, in pages, at one revision', async (store) => {
    await store.transact(['b/3', 'a/1', 'b/1', 'b/2', 'c/1'].map((key) => put(key, key)));
    const first = await store.range({ prefix: 'b/', limit: 2 });
    assert.deepEqual([first.entries.map(({ key }) => key), first.more, first.revision], [['b/1', 'b/2'], true, 5]);
    await store.transact([put('b/4', 'new'), put('b/3', 'changed', 1)]);
    const second = await store.range({ prefix: 'b/', limit: 2, after: 'b/2', revision: first.revision });
    assert.deepEqual([second.entries.map(({ value }) => text(value)), second.more], [['b/3'], false]);
  });

  contract('the past can be read, also what was deleted since', async (store) => {
    await store.transact([put('a', '1')]);
    await store.transact([put('a', '2', 1)]);
    await store.transact([{ type: 'delete', key: 'a', expectedRevision: 2 }]);
    const values = await Promise.all([0, 1, 2, 3].map(async (revision) => (await store.get('a', { revision }))?.value));
    assert.deepEqual(values.map(text), [undefined, '1', '2', undefined]);
    await assert.rejects(store.get('a', { revision: 4 }), { code: 'future-revision' });
  });

  contract('a watch sees the past after its revision, then the present, in order and once', async (store) => {
    await store.transact([put('a/1', '1'), put('b/1', '1')]);
    await store.transact([put('a/2', '1')]);
    const seen: StoreEvent[] = [];
    using _watch = store.watch({ prefix: 'a/', afterRevision: 1, onEvents: (events) => seen.push(...events) });
    await store.transact([put('b/2', '1')]);
    await store.transact([put('a/1', '2', 1), { type: 'delete', key: 'a/2', expectedRevision: 3 }]);
    assert.deepEqual(
      seen.map((event) =>
        event.type === 'put' ? [event.entry.key, event.entry.revision] : [event.key, event.revision],
      ),
      [
        ['a/2', 3],
        ['a/1', 5],
        ['a/2', 6],
      ],
    );
  });

  contract('an event is delivered before its write is acknowledged', async (store) => {
    let seen = 0;
    using _watch = store.watch({ prefix: '', afterRevision: 0, onEvents: (events) => (seen += events.length) });
    await store.transact([put('a', '1')]);
    assert.equal(seen, 1);
  });

  contract('a disposed watch hears nothing more', async (store) => {
    let seen = 0;
    store.watch({ prefix: '', afterRevision: 0, onEvents: () => seen++ })[Symbol.dispose]();
    await store.transact([put('a', '1')]);
    assert.equal(seen, 0);
  });

  contract('compaction keeps the present and what later revisions read, and refuses older reads', async (store) => {
    await store.transact([put('a', '1'), put('b', '1'), put('c', '1')]);
    await store.transact([put('a', '2', 1), { type: 'delete', key: 'b', expectedRevision: 2 }]);
    await store.transact([put('a', '3', 4)]);
    await store.compact(5);
    await store.compact(3);
    assert.equal(store.compactedRevision, 5);
    const at5 = await store.range({ prefix: '', revision: 5 });
    assert.deepEqual(
      at5.entries.map(({ key, value }) => [key, text(value)]),
      [
        ['a', '2'],
        ['c', '1'],
      ],
    );
    assert.equal(text((await store.get('a'))?.value), '3');
    await assert.rejects(store.range({ prefix: '', revision: 4 }), { code: 'compacted' });
    assert.throws(() => store.watch({ prefix: '', afterRevision: 4, onEvents: () => {} }), StoreError);
  });

  contract('values of any bytes, empty and large, come back as they were', async (store) => {
    const values = [new Uint8Array(), new Uint8Array(1_500_000).fill(0xff), Uint8Array.of(0, 1, 2)];
    for (const [i, value] of values.entries()) {
      await store.transact([{ type: 'put', key: `k${i}`, value, expectedRevision: 0 }]);
      assert.deepEqual(Buffer.from((await store.get(`k${i}`))?.value ?? []), Buffer.from(value));
    }
  });

  test(`${name}: any sequence of writes leaves what a plain map would have, at every revision`, async () => {
    const step = fc.record({ key: fc.constantFrom('a', 'b', 'c/1', 'c/2'), remove: fc.boolean(), stale: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        await using store = await open();
        const model = new Map<string, { value: string; revision: number }>();
        const history: string[] = ['[]'];
        for (const { key, remove, stale } of steps) {
          const expectedRevision = (model.get(key)?.revision ?? 0) + (stale ? 1 : 0);
          const next = store.revision + 1;
          const operation: WriteOperation = remove
            ? { type: 'delete', key, expectedRevision }
            : put(key, String(next), expectedRevision);
          const outcome = await store.transact([operation]);
          assert.equal(outcome.kind === 'committed', !stale && (!remove || model.has(key)));
          if (outcome.kind === 'conflict') continue;
          if (remove) model.delete(key);
          else model.set(key, { value: String(next), revision: next });
          history.push(JSON.stringify([...model].sort().map(([name, { value }]) => [name, value])));
        }
        for (const [revision, expected] of history.entries()) {
          const { entries } = await store.range({ prefix: '', revision });
          assert.equal(JSON.stringify(entries.map(({ key, value }) => [key, text(value)])), expected);
        }
      }),
      { numRuns: 25 },
    );
  });
}
