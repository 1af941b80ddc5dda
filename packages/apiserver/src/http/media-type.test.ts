import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { negotiate } from './media-type.ts';

const CASES: readonly [accept: string | undefined, as: string | undefined][] = [
  [undefined, 'Object'],
  ['application/json', 'Object'],
  ['*/*', 'Object'],
  ['application/vnd.kubernetes.protobuf,application/json', 'Object'],
  ['application/vnd.kubernetes.protobuf', undefined],
  [
    'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json',
    'Table',
  ],
  ['application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1', 'PartialObjectMetadataList'],
  [
    'application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
    'PartialObjectMetadata',
  ],
  ['application/json;as=Table;v=v3;g=meta.k8s.io', undefined],
  ['application/json;q=0', undefined],
  ['text/html', undefined],
];

for (const [accept, as] of CASES) {
  test(`Accept: ${accept ?? '(none)'} is answered with ${as ?? '406'}`, () => assert.equal(negotiate(accept)?.as, as));
}

test('any Accept header gives an answer', () => {
  fc.assert(fc.property(fc.string(), (text) => void negotiate(text)));
});
