import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ByteReader, ByteWriter } from '@ballast/base';
import fc from 'fast-check';
import { composeName, isWithin, labelsOf, parentOf, parseName, parseNameText, suffixesOf } from './name.ts';

describe('names', () => {
  for (const [text, expected] of [
    ['example.org', 'example.org.'],
    ['example.org.', 'example.org.'],
    ['.', '.'],
    ['a\\.b.c', 'a\\.b.c.'],
    ['a\\046b.c', 'a\\.b.c.'],
    ['*.x', '*.x.'],
    ['_http._tcp.x', '_http._tcp.x.'],
    [`${'a'.repeat(63)}.x`, `${'a'.repeat(63)}.x.`],
    [`${'a'.repeat(64)}.x`, undefined],
    [`${'abcdefg.'.repeat(32)}`, undefined],
    ['', undefined],
    ['a..b', undefined],
    ['.a', undefined],
    ['a b', undefined],
    ['a\\', undefined],
    ['a\\300', undefined],
  ] as const) {
    it(`parseNameText(${JSON.stringify(text.slice(0, 20))})`, () => assert.equal(parseNameText(text), expected));
  }

  it('walks labels, parents and suffixes with escaped dots', () => {
    assert.deepEqual(labelsOf('a\\.b.c.'), ['a\\.b', 'c']);
    assert.equal(parentOf('a\\.b.c.'), 'c.');
    assert.equal(parentOf('c.'), '.');
    assert.equal(parentOf('.'), '.');
    assert.deepEqual(suffixesOf('a.b.'), ['a.b.', 'b.']);
  });

  it('isWithin compares whole labels', () => {
    assert.ok(isWithin('a.b.', 'b.'));
    assert.ok(isWithin('b.', 'b.'));
    assert.ok(isWithin('b.', '.'));
    assert.ok(!isWithin('ab.', 'b.'));
    assert.ok(!isWithin('a\\.b.', 'b.'));
    assert.ok(isWithin('a\\\\.b.', 'b.'));
  });

  it('RFC 1035 5.1: any octets survive text and wire', () => {
    const label = fc.uint8Array({ minLength: 1, maxLength: 63 });
    fc.assert(
      fc.property(fc.array(label, { maxLength: 3 }), (labels) => {
        const writer = new ByteWriter();
        for (const bytes of labels) writer.u8(bytes.length).bytes(bytes);
        const wire = writer.u8(0).finish();
        const name = parseName(new ByteReader(wire));
        assert.equal(parseNameText(name), name);
        const again = new ByteWriter();
        composeName(again, name);
        assert.deepEqual(again.finish(), wire);
      }),
    );
  });
});
