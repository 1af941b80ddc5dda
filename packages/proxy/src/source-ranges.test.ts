import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cidrContains, cidrOf, formatCidr, parseCidr, parseIp } from '@ballast/base';
import fc from 'fast-check';
import { allowedSources } from './source-ranges.ts';

const options = { family: 4, vip: '192.0.2.200', nodeAddresses: ['192.0.2.11'] } as const;

test('source ranges: none, or one that spans a family, is no restriction', () => {
  assert.equal(allowedSources(undefined, options), undefined);
  assert.equal(allowedSources([], options), undefined);
  assert.equal(allowedSources(['10.0.0.0/8', '0.0.0.0/0'], options), undefined);
  assert.equal(allowedSources(['::/0'], options), undefined);
});

test('source ranges: prefixes inside others are left out, for nft refuses overlaps', () => {
  assert.deepEqual(allowedSources(['10.1.0.0/16', '10.0.0.0/8', '10.0.0.0/8', '172.16.0.1/32'], options), [
    '10.0.0.0/8',
    '172.16.0.1',
  ]);
});

test('source ranges: a range with the node in it lets the address itself in', () => {
  assert.deepEqual(allowedSources(['192.0.2.11/32'], options), ['192.0.2.11', '192.0.2.200']);
  assert.deepEqual(allowedSources(['192.0.2.12/32'], options), ['192.0.2.12']);
});

test('source ranges: ranges of the other family only let nobody in', () => {
  assert.deepEqual(allowedSources(['2001:db8::/32'], options), []);
});

test('source ranges: the result holds exactly the same sources and never overlaps', () => {
  const cidr = fc
    .tuple(fc.integer({ min: 0, max: 255 }), fc.integer({ min: 25, max: 32 }))
    .map(([last, length]) => cidrOf({ family: 4, value: 0x0a000000n + BigInt(last) }, length));
  fc.assert(
    fc.property(fc.array(cidr, { minLength: 1, maxLength: 12 }), (cidrs) => {
      const result = (allowedSources(cidrs.map(formatCidr), { ...options, nodeAddresses: [] }) ?? []).map((text) =>
        parseCidr(text.includes('/') ? text : `${text}/32`),
      );
      for (let last = 0; last < 256; last++) {
        const ip = parseIp(`10.0.0.${last}`);
        if (!ip) continue;
        const wanted = cidrs.some((each) => cidrContains(each, ip)) ? 1 : 0;
        assert.equal(result.filter((each) => each && cidrContains(each, ip)).length, wanted);
      }
    }),
  );
});
