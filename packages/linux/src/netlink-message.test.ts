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

test('netlink: numbers and texts survive the growth of the buffer at any point', () => {
  for (let filler = 3900; filler < 4120; filler += 4) {
    const writer = new NetlinkWriter();
    writer.message({ type: 7, flags: 0, sequence: 1 }, () => {
      writer.bytesAttribute(1, new Uint8Array(filler));
      writer.u32Attribute(2, 0xdeadbeef);
      writer.u64Attribute(3, 0x0123456789abcdefn);
      writer.textAttribute(4, 'chain');
    });
    const payload = parseMessages(Buffer.from(writer.bytes))[0]?.payload ?? Buffer.alloc(0);
    assert.equal(attributeOf(payload, 2)?.toString('hex'), 'deadbeef');
    assert.equal(attributeOf(payload, 3)?.toString('hex'), '0123456789abcdef');
    assert.equal(attributeOf(payload, 4)?.toString(), 'chain\0');
  }
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
