import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeMessage, encodeMessage } from './protobuf.ts';

const INNER = { fields: { text: [1, 'string'], count: [2, 'int64'] } } as const;
const OUTER = { fields: { names: [1, 'repeated', 'string'], inner: [2, INNER], labels: [3, 'map'] } } as const;

test('messages of any size survive the wire, also where the buffer grows between two bytes of a number', () => {
  for (let length = 0; length < 1100; length++) {
    const value = {
      names: ['a'.repeat(length), 'b'],
      inner: { text: 'c'.repeat(300), count: 2 ** 40 },
      labels: { x: 'y' },
    };
    assert.deepEqual(decodeMessage(OUTER, encodeMessage(OUTER, value)), value);
  }
});

test('no bytes make the decoder fail in another way than by saying that they are malformed', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        decodeMessage(OUTER, bytes);
      } catch (error) {
        assert.match(String(error), /malformed protobuf message/);
      }
    }),
  );
});
