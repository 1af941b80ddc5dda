import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseCidr, parseIp } from '@ballast/base';
import fc from 'fast-check';
import type { AttributeContext } from './attribute-table.ts';
import type { PathAttributes } from './attributes.ts';
import { BgpError } from './family.ts';
import { composeMessage, Framer, type IncomingMessage, type OutgoingMessage, parseMessage } from './message.ts';

const WIDE: AttributeContext = { fourOctetAs: true, internal: true };

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
const ipv4 = u32.map((value) => ({ family: 4 as const, value: BigInt(value) }));
const ipv6 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }).map((value) => ({ family: 6 as const, value }));
const prefixOf = (ip: fc.Arbitrary<{ family: 4 | 6; value: bigint }>, bits: number) =>
  fc.tuple(ip, fc.integer({ min: 0, max: bits })).map(([{ family, value }, prefixLength]) => {
    const host = BigInt(bits - prefixLength);
    return { ip: { family, value: (value >> host) << host }, prefixLength };
  });
const prefix4 = prefixOf(ipv4, 32);
const prefix6 = prefixOf(ipv6, 128);
const asPath = fc.array(
  fc.record({
    type: fc.constantFrom('set' as const, 'sequence' as const, 'confed-sequence' as const, 'confed-set' as const),
    asns: fc.array(u32, { minLength: 1, maxLength: 5 }),
  }),
  { maxLength: 3 },
);
const attributes: fc.Arbitrary<PathAttributes> = fc.record(
  {
    origin: fc.constantFrom('igp' as const, 'egp' as const, 'incomplete' as const),
    asPath,
    nextHop: ipv4,
    localPref: u32,
    med: u32,
    atomicAggregate: fc.constant(true as const),
    aggregator: fc.record({ asn: u32, address: ipv4 }),
    communities: fc.array(u32, { minLength: 1, maxLength: 80 }),
    originatorId: ipv4,
    clusterList: fc.array(ipv4, { minLength: 1, maxLength: 3 }),
    mpReach: fc.record({
      afi: fc.constant(2),
      safi: fc.constant(1),
      nextHops: fc.array(ipv6, { minLength: 1, maxLength: 2 }),
      prefixes: fc.array(prefix6, { maxLength: 4 }),
    }),
    mpUnreach: fc.record({ afi: fc.constant(2), safi: fc.constant(1), prefixes: fc.array(prefix6, { maxLength: 4 }) }),
    extendedCommunities: fc.array(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), { minLength: 1, maxLength: 4 }),
    largeCommunities: fc.array(fc.record({ globalAdministrator: u32, localData1: u32, localData2: u32 }), {
      minLength: 1,
      maxLength: 4,
    }),
  },
  { requiredKeys: ['origin', 'asPath', 'nextHop', 'localPref'] },
);
const message: fc.Arbitrary<OutgoingMessage> = fc.oneof(
  fc.record({
    type: fc.constant('open' as const),
    asn: fc.integer({ min: 1, max: 0xffff }),
    holdTimeSeconds: fc.constantFrom(0, 3, 90, 65535),
    identifier: fc.integer({ min: 1, max: 0xffff_ffff }),
    capabilities: fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('multiprotocol' as const), afi: u16, safi: u8 }),
        fc.constant({ kind: 'route-refresh' as const }),
        fc.record({
          kind: fc.constant('graceful-restart' as const),
          restarting: fc.boolean(),
          notificationSupported: fc.boolean(),
          restartTimeSeconds: fc.integer({ min: 0, max: 4095 }),
          families: fc.array(fc.record({ afi: u16, safi: u8, forwardingPreserved: fc.boolean() }), { maxLength: 3 }),
        }),
        fc.record({
          kind: fc.constant('unknown' as const),
          code: fc.integer({ min: 128, max: 255 }),
          value: fc.uint8Array({ maxLength: 9 }),
        }),
      ),
      { maxLength: 5 },
    ),
  }),
  fc.record({
    type: fc.constant('notification' as const),
    code: u8,
    subcode: u8,
    data: fc.uint8Array({ maxLength: 40 }),
  }),
  fc.constant({ type: 'keepalive' as const }),
  fc.record({ type: fc.constant('route-refresh' as const), afi: u16, safi: u8, subtype: u8 }),
  fc.record({
    type: fc.constant('update' as const),
    withdrawn: fc.array(prefix4, { maxLength: 5 }),
    attributes,
    announced: fc.array(prefix4, { maxLength: 5 }),
  }),
);

function essence(parsed: IncomingMessage): unknown {
  if (parsed.type !== 'update') return parsed;
  const { withdrawn, attributes: values, announced, type } = parsed;
  return { type, withdrawn, attributes: values, announced };
}

describe('RFC 4271 section 4: messages', () => {
  test('what was composed is parsed to the same', () => {
    fc.assert(
      fc.property(message, (sent) => {
        const parsed = parseMessage(composeMessage(sent, WIDE), WIDE);
        assert.deepEqual(essence(parsed), structuredClone(sent));
        if (parsed.type === 'update') assert.deepEqual(parsed.faults, []);
      }),
      { numRuns: 300 },
    );
  });

  test('any bytes behind a good header parse, or end in a BgpError', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.uint8Array({ minLength: 4, maxLength: 200 }), (type, body) => {
        const bytes = Buffer.concat([Buffer.alloc(16, 0xff), Buffer.from([0, 19 + body.length, type]), body]);
        try {
          for (const whole of new Framer().push(bytes)) parseMessage(whole, WIDE);
        } catch (error) {
          assert.ok(error instanceof BgpError, String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('one flipped byte of an UPDATE never gives anything but an UPDATE or a BgpError', () => {
    fc.assert(
      fc.property(attributes, fc.nat(), u8, (values, at, byte) => {
        const bytes = composeMessage({ type: 'update', withdrawn: [], attributes: values, announced: [] }, WIDE);
        bytes[19 + (at % (bytes.length - 19))] = byte;
        try {
          assert.equal(parseMessage(bytes, WIDE).type, 'update');
        } catch (error) {
          assert.ok(error instanceof BgpError, String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('RFC 4271 section 6.1: framing', () => {
  test('messages are cut the same however TCP splits them', () => {
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }),
        (sent, cuts) => {
          const stream = Buffer.concat(sent.map((one) => composeMessage(one, WIDE)));
          const framer = new Framer();
          const got: Uint8Array[] = [];
          for (let at = 0, i = 0; at < stream.length; i++) {
            const size = cuts[i % cuts.length] ?? 1;
            got.push(...framer.push(stream.subarray(at, at + size)).map((bytes) => Uint8Array.from(bytes)));
            at += size;
          }
          assert.deepEqual(Buffer.concat(got), stream);
          assert.equal(got.length, sent.length);
        },
      ),
      { numRuns: 100 },
    );
  });

  const cases: readonly [string, number[], number][] = [
    ['a marker that is not all ones', [...Array<number>(15).fill(0xff), 0, 0, 19, 4], 1],
    ['a length below the header', [...Array<number>(16).fill(0xff), 0, 18, 4], 2],
    ['a length above 4096', [...Array<number>(16).fill(0xff), 0x10, 0x01, 2], 2],
    ['a KEEPALIVE with a body', [...Array<number>(16).fill(0xff), 0, 20, 4, 0], 2],
    ['an OPEN that is too short', [...Array<number>(16).fill(0xff), 0, 28, 1], 2],
  ];
  for (const [name, bytes, subcode] of cases) {
    test(`${name} is a Message Header Error with subcode ${subcode}`, () => {
      assert.throws(
        () => new Framer().push(Uint8Array.from(bytes)),
        (error) => error instanceof BgpError && error.code === 'message-header' && error.subcode === subcode,
      );
    });
  }
});

function update(attributeBytes: readonly number[], announced: readonly number[] = [32, 192, 0, 2, 1]): Uint8Array {
  const body = [0, 0, attributeBytes.length >> 8, attributeBytes.length & 0xff, ...attributeBytes, ...announced];
  return Uint8Array.from([...Array<number>(16).fill(0xff), 0, 19 + body.length, 2, ...body]);
}

const ORIGIN = [0x40, 1, 1, 0];
const AS_PATH = [0x40, 2, 6, 2, 1, 0, 0, 0xfc, 0x00];
const NEXT_HOP = [0x40, 3, 4, 192, 0, 2, 11];
const EXTERNAL: AttributeContext = { fourOctetAs: true, internal: false };

describe('RFC 7606: UPDATE error handling', () => {
  const withdrawn: readonly [string, readonly number[]][] = [
    ['ORIGIN of value 3', [0x40, 1, 1, 3, ...AS_PATH, ...NEXT_HOP]],
    ['ORIGIN of two bytes', [0x40, 1, 2, 0, 0, ...AS_PATH, ...NEXT_HOP]],
    ['an AS_PATH segment past its end', [...ORIGIN, 0x40, 2, 6, 2, 9, 0, 0, 0xfc, 0, ...NEXT_HOP]],
    ['NEXT_HOP of three bytes', [...ORIGIN, ...AS_PATH, 0x40, 3, 3, 192, 0, 2]],
    ['NEXT_HOP missing', [...ORIGIN, ...AS_PATH]],
    ['ORIGIN missing', [...AS_PATH, ...NEXT_HOP]],
    ['COMMUNITIES of six bytes', [...ORIGIN, ...AS_PATH, ...NEXT_HOP, 0xc0, 8, 6, 1, 2, 3, 4, 5, 6]],
    ['COMMUNITIES without any', [...ORIGIN, ...AS_PATH, ...NEXT_HOP, 0xc0, 8, 0]],
    [
      'LARGE_COMMUNITY of eleven bytes',
      [...ORIGIN, ...AS_PATH, ...NEXT_HOP, 0xc0, 32, 11, ...Array<number>(11).fill(1)],
    ],
    ['an attribute past the end of the attributes', [...ORIGIN, ...AS_PATH, ...NEXT_HOP, 0xc0, 8, 40, 1, 2, 3, 4]],
    ['wrong flags on MED', [...ORIGIN, ...AS_PATH, ...NEXT_HOP, 0x40, 4, 4, 0, 0, 0, 1]],
  ];
  for (const [name, bytes] of withdrawn) {
    test(`${name}: the routes are treated as withdrawn`, () => {
      const parsed = parseMessage(update(bytes), EXTERNAL);
      assert.ok(parsed.type === 'update' && parsed.treatAsWithdraw && parsed.faults.length > 0);
    });
  }

  const kept: readonly [string, readonly number[]][] = [
    ['ATOMIC_AGGREGATE with a value', [...ORIGIN, ...AS_PATH, ...NEXT_HOP, 0x40, 6, 1, 0]],
    ['AGGREGATOR of five bytes', [...ORIGIN, ...AS_PATH, ...NEXT_HOP, 0xc0, 7, 5, 1, 2, 3, 4, 5]],
    ['LOCAL_PREF from an external peer', [...ORIGIN, ...AS_PATH, ...NEXT_HOP, 0x40, 5, 4, 0, 0, 0, 1]],
    ['ORIGIN twice', [...ORIGIN, ...ORIGIN, ...AS_PATH, ...NEXT_HOP]],
  ];
  for (const [name, bytes] of kept) {
    test(`${name}: the attribute is discarded, the route stays`, () => {
      const parsed = parseMessage(update(bytes), EXTERNAL);
      assert.ok(parsed.type === 'update' && !parsed.treatAsWithdraw && parsed.faults.length === 1);
      assert.equal(parsed.announced.length, 1);
    });
  }

  const resets: readonly [string, Uint8Array, number][] = [
    ['an unknown well-known attribute', update([...ORIGIN, ...AS_PATH, ...NEXT_HOP, 0x40, 99, 1, 0]), 2],
    ['a malformed MP_REACH_NLRI', update([...ORIGIN, ...AS_PATH, 0x80, 14, 3, 0, 2, 1]), 9],
    ['MP_UNREACH_NLRI twice', update([0x80, 15, 3, 0, 2, 1, 0x80, 15, 3, 0, 2, 1]), 1],
    ['a prefix of 33 bits', update([...ORIGIN, ...AS_PATH, ...NEXT_HOP], [33, 1, 2, 3, 4, 5]), 10],
  ];
  for (const [name, bytes, subcode] of resets) {
    test(`${name} resets the session with subcode ${subcode}`, () => {
      assert.throws(
        () => parseMessage(bytes, EXTERNAL),
        (error) => error instanceof BgpError && error.code === 'update-message' && error.subcode === subcode,
      );
    });
  }

  test('an unknown optional attribute is kept as it is, and marked partial when sent on', () => {
    const parsed = parseMessage(update([...ORIGIN, ...AS_PATH, ...NEXT_HOP, 0xc0, 99, 2, 7, 8]), EXTERNAL);
    assert.ok(parsed.type === 'update');
    assert.deepEqual(parsed.attributes.unknown, [{ code: 99, flags: 0xc0, value: Uint8Array.of(7, 8) }]);
    const again = parseMessage(composeMessage(parsed, EXTERNAL), EXTERNAL);
    assert.equal(again.type === 'update' && again.attributes.unknown?.[0]?.flags, 0xe0);
  });
});

describe('RFC 6793: AS numbers', () => {
  test('a peer with 2-octet AS numbers is told AS_TRANS', () => {
    const narrow = { fourOctetAs: false, internal: false };
    const ip = parseIp('192.0.2.11');
    const prefix = parseCidr('192.0.2.200/32');
    assert.ok(ip && prefix);
    const bytes = composeMessage(
      {
        type: 'update',
        withdrawn: [],
        attributes: {
          origin: 'igp',
          asPath: [{ type: 'sequence', asns: [4_200_000_000] }],
          nextHop: ip,
          as4Path: [{ type: 'sequence', asns: [4_200_000_000] }],
        },
        announced: [prefix],
      },
      narrow,
    );
    const parsed = parseMessage(bytes, narrow);
    assert.ok(parsed.type === 'update');
    assert.deepEqual(parsed.attributes.asPath?.[0]?.asns, [23456]);
    assert.deepEqual(parsed.attributes.as4Path?.[0]?.asns, [4_200_000_000]);
  });
});
