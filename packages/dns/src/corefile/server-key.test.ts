import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatIp, parseIp } from '@ballast/base';
import fc from 'fast-check';
import { addressOfReverseName, reverseName } from './reverse-zone.ts';
import { parseServerKey } from './server-key.ts';

describe('server keys', () => {
  for (const [text, zones, port] of [
    ['.', ['.'], 53],
    ['.:5353', ['.'], 5353],
    [':53', ['.'], 53],
    ['Example.ORG', ['example.org.'], 53],
    ['dns://example.org:54', ['example.org.'], 54],
    ['10.0.0.0/24', ['0.0.10.in-addr.arpa.'], 53],
    ['10.0.0.7/24:5353', ['0.0.10.in-addr.arpa.'], 5353],
    ['10.0.0.0/15', ['0.10.in-addr.arpa.', '1.10.in-addr.arpa.'], 53],
    ['2001:db8::/32', ['8.b.d.0.1.0.0.2.ip6.arpa.'], 53],
    ['2001:db8::/31', ['8.b.d.0.1.0.0.2.ip6.arpa.', '9.b.d.0.1.0.0.2.ip6.arpa.'], 53],
  ] as const) {
    it(text, () => assert.deepEqual(parseServerKey(text), { text, zones, port }));
  }

  it('a /27 is its 32 addresses', () => {
    const key = parseServerKey('192.0.2.32/27');
    assert.ok(typeof key === 'object' && key.zones.length === 32 && key.zones[0] === '32.2.0.192.in-addr.arpa.');
  });

  for (const [text, message] of [
    ['example.org:', '"example.org:": a port from 0 to 65535 must follow the colon'],
    ['example.org:http', '"example.org:http": a port from 0 to 65535 must follow the colon'],
    ['example.org:70000', '"example.org:70000": a port from 0 to 65535 must follow the colon'],
    [
      'tls://example.org',
      '"tls://example.org": this server does not listen for tls:// yet; use dns:// or leave it out',
    ],
    ['ftp://example.org', '"ftp://example.org": "ftp://" is not a transport; use dns:// or leave it out'],
    ['a..b', '"a..b" is not a domain name'],
    ['10.0.0.0/33', '"10.0.0.0/33" is not a zone: an address prefix looks like 10.0.0.0/8 or 2001:db8::/32'],
  ] as const) {
    it(`${text} is refused`, () => assert.equal(parseServerKey(text), message));
  }

  it('any address has a reverse name, and that name its address', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const ip = parseIp(text);
        assert.ok(ip);
        const back = addressOfReverseName(reverseName(ip).toUpperCase());
        assert.equal(back && formatIp(back), formatIp(ip));
      }),
    );
  });
});
