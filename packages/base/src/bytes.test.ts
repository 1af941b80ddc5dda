import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from './bytes.ts';
import { hasCode } from './errors.ts';

test('every width round-trips at its limits', () => {
  const bytes = new ByteWriter()
    .u8(0)
    .u8(0xff)
    .u16(0xffff)
    .u24(0xabcdef)
    .u32(0xffff_ffff)
    .u64(0xffff_ffff_ffff_ffffn)
    .finish();
  const reader = new ByteReader(bytes);
  assert.deepEqual(
    [reader.u8(), reader.u8(), reader.u16(), reader.u24(), reader.u32(), reader.u64(), reader.isAtEnd],
    [0, 0xff, 0xffff, 0xabcdef, 0xffff_ffff, 0xffff_ffff_ffff_ffffn, true],
  );
});

const outOfRange: [name: string, write: (writer: ByteWriter) => void][] = [
  ['u8 256', (w) => w.u8(256)],
  ['u16 -1', (w) => w.u16(-1)],
  ['u24 2^24', (w) => w.u24(0x1000000)],
  ['u32 2^32', (w) => w.u32(0x1_0000_0000)],
  ['u32 1.5', (w) => w.u32(1.5)],
  ['u64 -1', (w) => w.u64(-1n)],
  ['a part longer than its length field', (w) => w.lengthPrefixed(1, (part) => part.bytes(new Uint8Array(256)))],
];
for (const [name, write] of outOfRange) {
  test(`${name} is refused`, () =>
    assert.throws(
      () => write(new ByteWriter()),
      (e) => hasCode(e, 'bytes-range'),
    ));
}

test('a sub-reader cannot see past its length', () => {
  const reader = new ByteReader(new Uint8Array([2, 1, 2, 3]));
  const part = reader.sub(reader.u8());
  assert.equal(part.u16(), 0x0102);
  assert.throws(
    () => part.u8(),
    (e) => hasCode(e, 'bytes-truncated'),
  );
  assert.equal(reader.u8(), 3);
});

test('lengthPrefixed fills in what was written', () => {
  const bytes = new ByteWriter().lengthPrefixed(2, (w) => w.u8(7).lengthPrefixed(1, (inner) => inner.u16(1))).finish();
  assert.deepEqual([...bytes], [0, 4, 7, 2, 0, 1]);
});

test('a reader over any bytes only ever returns values or a truncation error', () => {
  const step = fc.constantFrom('u8', 'u16', 'u24', 'u32', 'u64', 'rest');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.array(step), (bytes, steps) => {
      const reader = new ByteReader(bytes);
      for (const name of steps) {
        try {
          reader[name as 'u8']();
        } catch (error) {
          assert.ok(hasCode(error, 'bytes-truncated'));
        }
        assert.ok(reader.offset <= bytes.length);
      }
    }),
  );
});
