import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { composeEcho, parseEcho } from './echo-codec.ts';

const u16 = fc.integer({ min: 0, max: 0xffff });

test('RFC 792, RFC 4443: an echo is parsed to what was composed, for IPv4 behind an IP header', () => {
  fc.assert(
    fc.property(fc.constantFrom('request' as const, 'reply' as const), u16, u16, (kind, identifier, sequence) => {
      const echo = { kind, identifier, sequence };
      const header = Buffer.from([0x45, ...Array<number>(19).fill(0)]);
      assert.deepEqual(parseEcho(Buffer.concat([header, composeEcho(echo, 4)]), 4), echo);
      assert.deepEqual(parseEcho(composeEcho(echo, 6), 6), echo);
    }),
  );
});

test('RFC 792: the checksum over an ICMP echo is right', () => {
  const bytes = composeEcho({ kind: 'request', identifier: 1, sequence: 2 }, 4);
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += ((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  assert.equal(sum, 0xffff);
});

test('any bytes are an echo of ours or nothing', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 60 }),
      fc.constantFrom(4 as const, 6 as const),
      (bytes, family) => void parseEcho(bytes, family),
    ),
  );
});
