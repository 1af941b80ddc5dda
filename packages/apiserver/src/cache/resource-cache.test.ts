import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CachedObject } from './cached-object.ts';
import { ResourceCache } from './resource-cache.ts';

test('the history of large objects is bounded by their bytes, and resuming before it is known to be too late', () => {
  const cache = new ResourceCache(0);
  const bytes = Buffer.alloc(1024 * 1024);
  for (let revision = 1; revision <= 500; revision++) cache.put(new CachedObject('ns/big', revision, bytes));
  const kept = cache.eventsAfter(0).length;
  assert.ok(kept > 8 && kept <= 33, String(kept));
  assert.equal(cache.floor, 500 - kept);
  assert.deepEqual(
    cache.eventsAfter(498).map(({ object }) => object.revision),
    [499, 500],
  );
});
