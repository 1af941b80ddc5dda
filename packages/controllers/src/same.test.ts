import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson, same } from './same.ts';

suite('same', () => {
  test('equal values have equal canonical text, and the other way round', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
        assert.equal(same(a, b), canonicalJson(a) === canonicalJson(b));
        assert.ok(same(a, structuredClone(a)));
      }),
    );
  });

  test('an absent property and an undefined one are the same', () => {
    assert.ok(same({ a: 1, b: undefined }, { a: 1 }));
    assert.ok(!same({ a: 1, b: null }, { a: 1 }));
  });
});
