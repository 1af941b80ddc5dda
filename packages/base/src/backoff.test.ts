import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Backoff } from './backoff.ts';

test('delays double up to the limit, jitter only shortens them, reset starts over', () => {
  const longest = new Backoff({ minMs: 100, maxMs: 1000, random: () => 1 });
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6].map(() => longest.next()),
    [100, 200, 400, 800, 1000, 1000],
  );
  longest.reset();
  assert.equal(longest.next(), 100);
  const shortest = new Backoff({ minMs: 100, maxMs: 1000, random: () => 0 });
  assert.deepEqual(
    [1, 2, 3].map(() => shortest.next()),
    [50, 100, 200],
  );
});
