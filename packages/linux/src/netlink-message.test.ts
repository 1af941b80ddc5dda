import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasCode } from '@ballast/base';
import fc from 'fast-check';
import { attributeOf, NetlinkWriter, parseAttributes, parseMessages } from './netlink-message.ts';

test('netlink: attributes and nests come back as they were written, whatever their length', () => {
  const value = fc.uint8Array({ maxLength: 70 });
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 0x3fff }), value), { maxLength: 200 }), (attributes) => {
      const writer = new NetlinkWriter();
      writer.message({ type: 7, flags: 5, sequence: 9 }, () => {
        writer.nest(3, () => {
          for (const [type, bytes] of attributes) writer.bytesAttribute(type, bytes);
        });
      });
      const [message] = parseMessages(Buffer.from(writer.bytes));
      assert.ok(message);
      assert.deepEqual([message.type, message.flags, message.sequence], [7, 5, 9]);
      const nest = attributeOf(message.payload, 3);
      assert.ok(nest);
      assert.deepEqual(
        [...parseAttributes(nest)].map(({ type, value: bytes }) => [type, [...bytes]]),
        attributes.map(([type, bytes]) => [type, [...bytes]]),
      );
    }),
  );
});

test('netlink: any bytes are either messages or a malformed-data error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        for (const { payload } of parseMessages(Buffer.from(bytes))) for (const _ of parseAttributes(payload));
      } catch (error) {
        assert.ok(hasCode(error, 'netlink-malformed'));
      }
    }),
  );
});
