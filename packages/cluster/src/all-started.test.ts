import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allStarted } from './all-started.ts';

function part(log: string[], name: string): AsyncDisposable & { name: string } {
  return {
    name,
    async [Symbol.asyncDispose]() {
      log.push(`${name} stopped`);
    },
  };
}

test('parts that started are stopped when a later one fails, also those that start after the failure', async () => {
  const log: string[] = [];
  const slow = Promise.withResolvers<object>();
  await assert.rejects(async () => {
    await using stack = new AsyncDisposableStack();
    const failing = Promise.reject(new Error('no port'));
    await allStarted(stack, [Promise.resolve(part(log, 'a')), failing, slow.promise], () => {
      log.push('given up');
      slow.resolve(part(log, 'b'));
    });
  }, /no port/);
  assert.deepEqual(log, ['given up', 'b stopped', 'a stopped']);
});

test('what all give is returned in order', async () => {
  await using stack = new AsyncDisposableStack();
  const [a, b] = await allStarted(stack, [Promise.resolve({ a: 1 }), Promise.resolve({ b: 2 })]);
  assert.equal(a.a + b.b, 3);
});
