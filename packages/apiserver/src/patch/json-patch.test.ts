import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { applyJsonPatch, PatchError } from './index.ts';

const TABLE: readonly [name: string, document: unknown, patch: unknown, result: unknown][] = [
  ['A.1 add a field', { foo: 'bar' }, [{ op: 'add', path: '/baz', value: 'qux' }], { foo: 'bar', baz: 'qux' }],
  ['A.2 add an item', { foo: ['a', 'c'] }, [{ op: 'add', path: '/foo/1', value: 'b' }], { foo: ['a', 'b', 'c'] }],
  ['A.3 remove a field', { a: 1, b: 2 }, [{ op: 'remove', path: '/a' }], { b: 2 }],
  ['A.4 remove an item', { foo: [1, 2, 3] }, [{ op: 'remove', path: '/foo/1' }], { foo: [1, 3] }],
  ['A.5 replace', { a: 1 }, [{ op: 'replace', path: '/a', value: [2] }], { a: [2] }],
  ['A.6 move a field', { a: { x: 1 }, b: {} }, [{ op: 'move', from: '/a/x', path: '/b/y' }], { a: {}, b: { y: 1 } }],
  ['A.7 move an item', { l: [1, 2, 3] }, [{ op: 'move', from: '/l/0', path: '/l/2' }], { l: [2, 3, 1] }],
  ['A.8 test', { a: ['x', 2] }, [{ op: 'test', path: '/a/1', value: 2 }], { a: ['x', 2] }],
  ['A.10 add a nested object', {}, [{ op: 'add', path: '/c', value: { g: {} } }], { c: { g: {} } }],
  ['A.14 escapes', { '/': 9, '~1': 10 }, [{ op: 'test', path: '/~01', value: 10 }], { '/': 9, '~1': 10 }],
  ['A.16 append', { l: ['a'] }, [{ op: 'add', path: '/l/-', value: ['b'] }], { l: ['a', ['b']] }],
  ['copy', { a: { x: 1 } }, [{ op: 'copy', from: '/a', path: '/b' }], { a: { x: 1 }, b: { x: 1 } }],
  ['the whole document', { a: 1 }, [{ op: 'replace', path: '', value: { b: 1 } }], { b: 1 }],
];

for (const [name, document, patch, result] of TABLE) {
  test(`RFC 6902: ${name}`, () => assert.deepEqual(applyJsonPatch(document, patch), result));
}

const REFUSED: readonly [name: string, document: unknown, patch: unknown, kind: 'failed' | 'malformed'][] = [
  ['test of another value', { a: 1 }, [{ op: 'test', path: '/a', value: 2 }], 'failed'],
  ['remove of a missing field', {}, [{ op: 'remove', path: '/a' }], 'failed'],
  ['replace of a missing field', {}, [{ op: 'replace', path: '/a', value: 1 }], 'failed'],
  ['add below a missing parent', {}, [{ op: 'add', path: '/a/b', value: 1 }], 'failed'],
  ['add past the end of a list', { l: [] }, [{ op: 'add', path: '/l/1', value: 1 }], 'failed'],
  ['a leading zero', { l: [1, 2] }, [{ op: 'remove', path: '/l/01' }], 'failed'],
  ['a move into itself', { a: { b: {} } }, [{ op: 'move', from: '/a', path: '/a/b' }], 'failed'],
  ['an unknown operation', {}, [{ op: 'spam', path: '/a' }], 'malformed'],
  ['no value', {}, [{ op: 'add', path: '/a' }], 'malformed'],
  ['no list', {}, { op: 'add' }, 'malformed'],
  ['a relative pointer', {}, [{ op: 'add', path: 'a', value: 1 }], 'malformed'],
];

for (const [name, document, patch, kind] of REFUSED) {
  test(`a JSON patch is refused: ${name}`, () => {
    assert.throws(
      () => applyJsonPatch(document, patch),
      (error) => error instanceof PatchError && error.kind === kind,
    );
  });
}

test('copy operations cannot blow a document up', () => {
  const document = { a: ['x'.repeat(1000)] };
  const patch = Array.from({ length: 40 }, () => ({ op: 'copy', from: '/a', path: '/a/-' }));
  assert.throws(() => applyJsonPatch(document, patch), /more than/);
});

test('a patch of which any operation fails leaves the document as it was', () => {
  const operation = fc.record(
    {
      op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'nonsense'),
      path: fc.constantFrom('', '/a', '/a/b', '/l/0', '/l/-', '/l/9', '/missing/x', 'bad', '/__proto__/x'),
      from: fc.constantFrom('/a', '/l/0', '/missing'),
      value: fc.jsonValue(),
    },
    { requiredKeys: ['op', 'path'] },
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 6 }), (patch) => {
      const document = { a: { b: 1 }, l: [1, 2, { c: [] }] };
      const before = structuredClone(document);
      try {
        applyJsonPatch(document, patch);
      } catch (error) {
        assert.ok(error instanceof PatchError);
      }
      assert.deepEqual(document, before);
      assert.equal(({} as Record<string, unknown>).x, undefined);
    }),
  );
});
