import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { bandOffset, NumberPool } from './number-pool.ts';

test('the static band of addresses is min(max(16, size/16), 256), and none for 16 or fewer', () => {
  const offsets = [16n, 17n, 256n, 4096n, 65536n].map((size) => bandOffset(size, 16n, 256n));
  assert.deepEqual(offsets, [0n, 16n, 16n, 256n, 256n]);
});

test('the static band of the default node ports is 86', () => assert.equal(bandOffset(2768n, 32n, 128n), 86n));

test('automatic picks come from the upper band first and leave nothing out', () => {
  const pool = new NumberPool({ first: 1n, last: 20n, dynamicFrom: 11n });
  const picks = Array.from({ length: 20 }, () => pool.takeAny());
  assert.ok(picks.slice(0, 10).every((pick) => pick !== undefined && pick >= 11n));
  assert.ok(picks.slice(10).every((pick) => pick !== undefined && pick <= 10n));
  assert.equal(pool.takeAny(), undefined);
  pool.release(5n);
  assert.equal(pool.takeAny(), 5n);
});

test('no number is held twice, whatever is taken and given back', () => {
  const step = fc.oneof(
    fc.record({ take: fc.integer({ min: 1, max: 30 }) }),
    fc.record({ release: fc.integer({ min: 1, max: 30 }) }),
    fc.constant({ any: true }),
  );
  fc.assert(
    fc.property(fc.array(step), fc.double({ min: 0, max: 0.999, noNaN: true }), (steps, random) => {
      const pool = new NumberPool({ first: 1n, last: 30n, dynamicFrom: 17n }, () => random);
      const held = new Set<bigint>();
      for (const one of steps) {
        if ('take' in one) {
          assert.equal(pool.take(BigInt(one.take)), !held.has(BigInt(one.take)));
          held.add(BigInt(one.take));
        } else if ('release' in one) {
          pool.release(BigInt(one.release));
          held.delete(BigInt(one.release));
        } else {
          const value = pool.takeAny();
          assert.equal(value === undefined, held.size === 30);
          if (value === undefined) continue;
          assert.ok(!held.has(value) && value >= 1n && value <= 30n);
          held.add(value);
        }
      }
    }),
  );
});
