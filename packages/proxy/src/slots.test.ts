import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { assignSlots, DRAWS, MAX_SLOTS, SIZE_CLASSES, sizeClassOf } from './slots.ts';

test('slots: each count belongs to exactly one size class, and the classes are few', () => {
  let low = 0;
  for (const sizeClass of SIZE_CLASSES) {
    assert.equal(sizeClass.low, low);
    assert.ok(sizeClass.high > low);
    low = sizeClass.high;
  }
  assert.equal(low, MAX_SLOTS);
  assert.ok(SIZE_CLASSES.length < 64, `${SIZE_CLASSES.length} classes`);
  assert.throws(() => sizeClassOf(0), RangeError);
  assert.throws(() => sizeClassOf(MAX_SLOTS + 1), RangeError);
});

test('slots: the share of any endpoint is within 1 % of an even one, for every count', () => {
  for (let count = 1; count <= 5000; count++) {
    const { low, high } = sizeClassOf(count);
    if (high === low + 1) continue;
    const miss = (high - count) / high;
    const last = miss ** DRAWS;
    const even = (1 - last) / count;
    const most = (even + last / (low + 1)) * count;
    assert.ok(most < 1.01, `count ${count}: the fullest endpoint gets ${most} of an even share`);
    assert.ok(even * count > 0.99, `count ${count}: the emptiest endpoint gets ${even * count} of an even share`);
  }
});

const endpoints = fc.uniqueArray(fc.integer({ min: 0, max: 40 }).map(String), { maxLength: 30 });

test('slots: an assignment holds exactly the wanted endpoints, without gaps', () => {
  fc.assert(
    fc.property(endpoints, endpoints, (previous, wanted) => {
      assert.deepEqual([...assignSlots(previous, wanted)].toSorted(), wanted.toSorted());
    }),
  );
});

test('slots: only slots of departed endpoints and beyond the old end change hands', () => {
  fc.assert(
    fc.property(endpoints, endpoints, (previous, wanted) => {
      const slots = assignSlots(previous, wanted);
      for (const [slot, endpoint] of previous.entries()) {
        if (slot < slots.length && wanted.includes(endpoint)) assert.equal(slots[slot], endpoint);
      }
    }),
  );
});
