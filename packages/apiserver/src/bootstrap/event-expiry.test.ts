import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedClock, silentLogger } from '@ballast/base';
import { MemoryStore } from '@ballast/store';
import { storeKey, WatchCache } from '../cache/watch-cache.ts';
import type { Kernel } from '../kernel.ts';
import { composeStored } from '../object/stored-form.ts';
import { BUILT_IN_RESOURCES } from '../resources/index.ts';
import { ResourceRegistry } from '../resources/registry.ts';
import { startEventExpiry } from './event-expiry.ts';

test('events go an hour after they were last written, not before', async () => {
  const store = new MemoryStore();
  const clock = new SimulatedClock();
  const cache = await WatchCache.load(store);
  const write = (name: string) =>
    store.transact([
      {
        type: 'put',
        key: storeKey('events', `default/${name}`),
        value: composeStored({ kind: 'Event', apiVersion: 'v1', metadata: { name, namespace: 'default' } }),
        expectedRevision: 0,
      },
    ]);
  const registry = new ResourceRegistry(BUILT_IN_RESOURCES);
  const kernel = { store, cache, registry, clock, logger: silentLogger } as unknown as Kernel;
  await write('old');
  await using _expiry = startEventExpiry(kernel);
  await clock.advance(30 * 60_000);
  await write('young');
  await clock.advance(29 * 60_000);
  assert.equal(cache.of('events').size, 2);
  await clock.advance(2 * 60_000);
  assert.deepEqual(
    [...cache.of('events').objects()].map(({ name }) => name),
    ['young'],
  );
});
