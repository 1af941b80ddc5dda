import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ContainerStatus, METHODS, PodSandboxConfig } from './messages.ts';
import { decodeMessage, encodeMessage, message } from './protobuf.ts';

const Inner = message({ text: [1, 'string'] });
const Sample = message({
  text: [1, 'string'],
  bytes: [2, 'bytes'],
  flag: [3, 'bool'],
  small: [4, 'int32'],
  large: [5, 'int64'],
  huge: [6, 'bigint'],
  inner: [7, Inner],
  many: [8, 'repeated', Inner],
  numbers: [9, 'repeated', 'int64'],
  map: [10, 'map'],
});

const inner = fc.record({ text: fc.string() }, { noNullPrototype: true });
const sample = fc.record(
  {
    text: fc.string(),
    bytes: fc.uint8Array(),
    flag: fc.boolean(),
    small: fc.integer(),
    large: fc.maxSafeInteger(),
    huge: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    inner: fc.option(inner, { nil: undefined }),
    many: fc.array(inner),
    numbers: fc.array(fc.maxSafeInteger()),
    map: fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true }),
  },
  { noNullPrototype: true },
);

test('what is encoded is decoded again', () => {
  fc.assert(
    fc.property(sample, (value) => {
      const decoded = decodeMessage(Sample, encodeMessage(Sample, value));
      assert.deepEqual(
        { ...decoded, bytes: Buffer.from(decoded.bytes) },
        { ...value, bytes: Buffer.from(value.bytes) },
      );
    }),
  );
});

test('encoding of protobuf.dev: field 1 with 150 is 08 96 01', () => {
  const type = message({ a: [1, 'int32'] });
  assert.deepEqual([...encodeMessage(type, { a: 150 })], [0x08, 0x96, 0x01]);
  assert.deepEqual([...encodeMessage(message({ b: [2, 'string'] }), { b: 'testing' })].slice(0, 2), [0x12, 0x07]);
});

test('packed and unpacked numbers are both understood', () => {
  const type = message({ n: [4, 'repeated', 'int32'] });
  assert.deepEqual(decodeMessage(type, Buffer.from([0x22, 0x03, 0x03, 0x8e, 0x02])).n, [3, 270]);
  assert.deepEqual(decodeMessage(type, Buffer.from([0x20, 0x03, 0x20, 0x05])).n, [3, 5]);
});

test('unknown fields are skipped, absent ones have their default', () => {
  const bytes = encodeMessage(Sample, { text: 'x', large: 5, numbers: [1], map: { a: 'b' } });
  assert.deepEqual(decodeMessage(message({ text: [1, 'string'], other: [20, 'bool'] }), bytes), {
    text: 'x',
    other: false,
  });
});

test('any bytes either decode or are refused as malformed, and never write to a prototype', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      for (const type of [Sample, ContainerStatus, PodSandboxConfig, METHODS.listContainers.response]) {
        try {
          decodeMessage(type, bytes);
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'protobuf-malformed');
        }
      }
    }),
  );
  const evil = encodeMessage(Sample, { map: JSON.parse('{"__proto__":"x"}') as Record<string, string> });
  assert.equal(Object.getPrototypeOf(decodeMessage(Sample, evil).map), Object.prototype);
});
