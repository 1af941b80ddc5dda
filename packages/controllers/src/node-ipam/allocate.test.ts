import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { nodeRanges, PodCidrAllocator } from './allocate.ts';

suite('PodCidrAllocator', () => {
  test('never gives out a prefix twice, and all of them in the end', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (steps) => {
        const allocator = new PodCidrAllocator(nodeRanges('10.42.0.0/20', 24));
        const held: string[][] = [];
        for (const take of steps) {
          const given = held.at(0);
          if (take || !given) {
            const next = allocator.allocate();
            if (next) held.push(next);
            else assert.equal(held.length, 16);
          } else {
            allocator.release(given);
            held.shift();
          }
          assert.equal(new Set(held.flat()).size, held.length);
        }
      }),
    );
  });

  test('known podCIDRs are avoided; foreign ones are ignored', () => {
    const allocator = new PodCidrAllocator(nodeRanges('10.42.0.0/23', 24));
    allocator.take(['10.42.0.0/24', '192.168.0.0/24', 'nonsense']);
    assert.deepEqual(allocator.allocate(), ['10.42.1.0/24']);
    assert.equal(allocator.allocate(), undefined);
  });

  test('dual stack gives a prefix of each family', () => {
    const allocator = new PodCidrAllocator(nodeRanges('10.42.0.0/16, fd42::/48', 24));
    assert.deepEqual(allocator.allocate(), ['10.42.0.0/24', 'fd42::/64']);
    assert.deepEqual(allocator.allocate(), ['10.42.1.0/24', 'fd42:0:0:1::/64']);
  });

  test('a configuration that leaves no room is refused with the reason', () => {
    assert.throws(() => nodeRanges('10.42.0.0/25', 24), /no \/24 for nodes fits/);
    assert.throws(() => nodeRanges('10.42.0.0', 24), /not a prefix/);
  });
});
