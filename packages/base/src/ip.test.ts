import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  cidrContains,
  formatCidr,
  formatIp,
  type Ip,
  ipFromBytes,
  ipToBytes,
  parseCidr,
  parseIp,
  parseIpRange,
  rangeSize,
  rangesOverlap,
  rangeToCidrs,
} from './ip.ts';

const anyIp: fc.Arbitrary<Ip> = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 32n) - 1n }).map((value): Ip => ({ family: 4, value })),
  fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map((value): Ip => ({ family: 6, value })),
);

function must<T>(value: T | undefined): T {
  assert.notEqual(value, undefined);
  return value as T;
}

describe('addresses', () => {
  const canonical: [text: string, canonical: string | undefined][] = [
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['010.0.0.1', undefined],
    ['1.2.3', undefined],
    ['1.2.3.4.5', undefined],
    ['', undefined],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:DB8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::ffff:192.0.2.1', '::ffff:c000:201'],
    ['fe80::1%eth0', undefined],
    ['1:2:3:4:5:6:7:8:9', undefined],
  ];
  for (const [text, expected] of canonical) {
    test(`RFC 5952: '${text}' is ${expected ?? 'refused'}`, () => {
      const ip = parseIp(text);
      assert.equal(ip && formatIp(ip), expected);
    });
  }

  test('text and bytes round-trip for every address', () => {
    fc.assert(
      fc.property(anyIp, (ip) => {
        assert.deepEqual(parseIp(formatIp(ip)), ip);
        assert.deepEqual(ipFromBytes(ipToBytes(ip)), ip);
        assert.equal(isIP(formatIp(ip)), ip.family);
      }),
    );
  });

  test('no text makes the parser throw', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        parseIp(text);
        parseCidr(text);
        parseIpRange(text);
      }),
    );
  });
});

describe('prefixes', () => {
  test('host bits are cleared, or refused when strict', () => {
    assert.equal(formatCidr(must(parseCidr('10.1.2.3/16'))), '10.1.0.0/16');
    assert.equal(parseCidr('10.1.2.3/16', { strict: true }), undefined);
  });

  for (const text of ['10.0.0.0', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/08', '::/129', '/8']) {
    test(`'${text}' is refused`, () => assert.equal(parseCidr(text), undefined));
  }

  test('families never mix', () => {
    assert.equal(cidrContains(must(parseCidr('::/0')), must(parseIp('10.0.0.1'))), false);
  });
});

describe('ranges', () => {
  test('blanks round the dash are allowed, a reversed range is not', () => {
    assert.equal(rangeSize(must(parseIpRange('192.0.2.10 - 192.0.2.20'))), 11n);
    assert.equal(parseIpRange('192.0.2.20-192.0.2.10'), undefined);
    assert.equal(parseIpRange('192.0.2.20-::1'), undefined);
  });

  test('a range becomes the fewest prefixes that cover exactly it', () => {
    fc.assert(
      fc.property(fc.nat({ max: 0xffff }), fc.nat({ max: 3000 }), (first, length) => {
        const range = {
          first: { family: 4, value: BigInt(first) },
          last: { family: 4, value: BigInt(first + length) },
        } as const;
        const cidrs = rangeToCidrs(range);
        let next = range.first.value;
        for (const { ip, prefixLength } of cidrs) {
          assert.equal(ip.value, next);
          next += 1n << BigInt(32 - prefixLength);
        }
        assert.equal(next, range.last.value + 1n);
        assert.ok(cidrs.length <= 24);
      }),
    );
  });

  test('overlap is symmetric and agrees with enumeration', () => {
    const small = fc.tuple(fc.nat({ max: 40 }), fc.nat({ max: 10 })).map(([first, length]) => ({
      first: { family: 4 as const, value: BigInt(first) },
      last: { family: 4 as const, value: BigInt(first + length) },
    }));
    fc.assert(
      fc.property(small, small, (a, b) => {
        let shared = false;
        for (let value = a.first.value; value <= a.last.value; value++) {
          if (value >= b.first.value && value <= b.last.value) shared = true;
        }
        assert.equal(rangesOverlap(a, b), shared);
        assert.equal(rangesOverlap(b, a), shared);
      }),
    );
  });
});
