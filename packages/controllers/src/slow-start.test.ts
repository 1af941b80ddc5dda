import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { slowStart } from './slow-start.ts';

suite('slowStart', () => {
  test('batches double, and the first failure ends it', async () => {
    let running = 0;
    const batches: number[] = [];
    await slowStart(10, async () => {
      running++;
      await Promise.resolve();
      if (running > 0) batches.push(running);
      running = 0;
    });
    assert.deepEqual(batches, [1, 2, 4, 3]);
    let tried = 0;
    await assert.rejects(
      slowStart(100, async () => {
        tried++;
        throw new Error('quota');
      }),
    );
    assert.equal(tried, 1);
  });
});
