import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ApiObject } from './api-object.ts';
import { composeStored, parseObject, withApiVersion, withRevision } from './stored-form.ts';

const anyObject = fc.record({
  kind: fc.string(),
  apiVersion: fc.stringMatching(/^[a-z0-9./]{1,20}$/),
  metadata: fc.record({ name: fc.string({ minLength: 1 }), labels: fc.dictionary(fc.string(), fc.string()) }),
  data: fc.dictionary(fc.string(), fc.jsonValue()),
});

test('an object comes back from its stored bytes with the revision as resourceVersion, whatever is in it', () => {
  fc.assert(
    fc.property(anyObject, fc.nat(), (given, revision) => {
      const object: ApiObject = JSON.parse(JSON.stringify(given));
      const read = parseObject(withRevision(composeStored(object), revision));
      object.metadata.resourceVersion = String(revision);
      assert.deepEqual(read, JSON.parse(JSON.stringify(object)));
    }),
  );
});

test('a revision replaces the one that is there', () => {
  const bytes = withRevision(composeStored({ kind: 'A', apiVersion: 'v1', metadata: { name: 'a' } }), 9);
  assert.equal(parseObject(withRevision(bytes, 1000)).metadata.resourceVersion, '1000');
  assert.equal(parseObject(withRevision(bytes, 1000)).metadata.name, 'a');
});

test('the apiVersion of bytes can be changed without touching the rest', () => {
  const bytes = withRevision(
    composeStored({ kind: 'A', apiVersion: 'g/v1', metadata: { name: 'a' }, spec: { apiVersion: 'x' } }),
    9,
  );
  const object = parseObject(withApiVersion(bytes, 'g/v1beta1'));
  assert.deepEqual([object.apiVersion, object.spec], ['g/v1beta1', { apiVersion: 'x' }]);
});
