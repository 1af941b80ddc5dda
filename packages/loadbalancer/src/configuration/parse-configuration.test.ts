import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatIp } from '@ballast/base';
import type { Secret } from '@ballast/kube';
import fc from 'fast-check';
import type { BgpAdvertisement, BgpPeer, CommunityList, IpAddressPool, L2Advertisement } from '../resources/kinds.ts';
import { formatProblem } from './configuration-state.ts';
import { parseDuration } from './duration.ts';
import { type ConfigurationObjects, parseConfiguration } from './parse-configuration.ts';

const meta = (name: string, age = 0) => ({
  name,
  namespace: 'metallb-system',
  creationTimestamp: `2026-01-01T00:00:0${age}Z`,
});
const pool = (
  name: string,
  addresses: string[],
  more: Partial<IpAddressPool['spec']> = {},
  age = 0,
): IpAddressPool => ({
  metadata: meta(name, age),
  spec: { addresses, ...more },
});
const bgpAd = (name: string, spec: BgpAdvertisement['spec'], age = 0): BgpAdvertisement => ({
  metadata: meta(name, age),
  spec,
});
const l2Ad = (name: string, spec: NonNullable<L2Advertisement['spec']>): L2Advertisement => ({
  metadata: meta(name),
  spec,
});
const peer = (name: string, spec: Partial<BgpPeer['spec']>): BgpPeer => ({
  metadata: meta(name),
  spec: { myASN: 64513, peerASN: 64512, peerAddress: '192.0.2.1', ...spec },
});
const community = (name: string, entries: { name: string; value: string }[], age = 0): CommunityList => ({
  metadata: meta(name, age),
  spec: { communities: entries },
});

function parse(objects: Partial<ConfigurationObjects>) {
  const configuration = parseConfiguration({
    pools: [],
    l2Advertisements: [],
    bgpAdvertisements: [],
    peers: [],
    bfdProfiles: [],
    communities: [],
    secretOf: () => undefined,
    ...objects,
  });
  return { ...configuration, texts: configuration.problems.map(formatProblem) };
}

describe('IPAddressPool', () => {
  test('prefixes and ranges, blanks allowed round the dash, host bits tolerated', () => {
    const { pools, texts } = parse({
      pools: [pool('lan', ['192.0.2.200 - 192.0.2.250', '10.0.0.7/24', '2001:db8::/64'])],
    });
    assert.deepEqual(texts, []);
    assert.deepEqual(
      pools[0]?.ranges.map(({ range }) => `${formatIp(range.first)}-${formatIp(range.last)}`),
      ['192.0.2.200-192.0.2.250', '10.0.0.0-10.0.0.255', '2001:db8::-2001:db8::ffff:ffff:ffff:ffff'],
    );
  });

  test('all faults of one pool are reported at once', () => {
    const { pools, texts } = parse({
      pools: [pool('bad', ['192.0.2.1', '192.0.2.9-192.0.2.1', 'nonsense/24', '10.0.0.0/24', '10.0.0.0/25'])],
    });
    assert.equal(pools.length, 0);
    assert.deepEqual(texts, [
      'IPAddressPool bad: invalid CIDR or range "192.0.2.1"',
      'IPAddressPool bad: invalid CIDR or range "192.0.2.9-192.0.2.1"',
      'IPAddressPool bad: invalid CIDR or range "nonsense/24"',
      'IPAddressPool bad: CIDR "10.0.0.0/25" in pool "bad" overlaps with already defined CIDR "10.0.0.0/24" of pool "bad"',
    ]);
  });

  test('H10a: of two pools that overlap the older one stands, and a third is not touched', () => {
    const { pools, texts } = parse({
      pools: [
        pool('late', ['10.0.0.128/25'], {}, 2),
        pool('early', ['10.0.0.0/24'], {}, 1),
        pool('other', ['10.1.0.0/24'], {}, 3),
      ],
    });
    assert.deepEqual(
      pools.map(({ name }) => name),
      ['early', 'other'],
    );
    assert.match(texts.join(), /overlaps with already defined CIDR "10.0.0.0\/24"/);
  });

  test('an object without spec, and one with selectors that mean nothing, are reported and not thrown', () => {
    const { texts } = parse({
      pools: [
        JSON.parse('{"metadata":{"name":"empty"}}') as IpAddressPool,
        pool('odd', ['10.0.0.0/24'], {
          serviceAllocation: {
            namespaces: ['a', 'a'],
            serviceSelectors: [{ matchExpressions: [{ key: 'x', operator: 'Near' }] }],
          },
        }),
      ],
    });
    assert.deepEqual(texts, [
      'IPAddressPool empty: pool has no prefixes defined',
      'IPAddressPool odd: duplicate namespace "a"',
      'IPAddressPool odd: serviceSelectors: "Near" is not a valid label selector operator',
    ]);
  });
});

describe('advertisements', () => {
  const pools = [
    pool('lan', ['10.0.0.0/26']),
    { ...pool('wan', ['203.0.113.0/24']), metadata: { ...meta('wan'), labels: { zone: 'out' } } },
  ];

  test('F1e: pools by name, by label, or all', () => {
    const { l2Ads } = parse({
      pools,
      l2Advertisements: [
        l2Ad('all', {}),
        l2Ad('label', { ipAddressPoolSelectors: [{ matchLabels: { zone: 'out' } }] }),
        l2Ad('name', { ipAddressPools: ['lan', 'missing'] }),
      ],
    });
    assert.deepEqual(
      l2Ads.map((ad) => [ad.name, ...ad.pools]),
      [
        ['all', 'lan', 'wan'],
        ['label', 'wan'],
        ['name', 'lan'],
      ],
    );
  });

  test('H10b: an aggregate wider than the pool is refused', () => {
    const { texts, bgpAds } = parse({
      pools,
      bgpAdvertisements: [
        bgpAd('wide', { ipAddressPools: ['lan'], aggregationLength: 24 }),
        bgpAd('fine', { ipAddressPools: ['wan'], aggregationLength: 24 }),
      ],
    });
    assert.deepEqual(
      bgpAds.map(({ name }) => name),
      ['fine'],
    );
    assert.match(texts.join(), /is more specific than the aggregation length/);
  });

  test('H10c: service selectors go with host routes only', () => {
    const { texts } = parse({
      pools,
      bgpAdvertisements: [bgpAd('mixed', { ipAddressPools: ['wan'], aggregationLength: 25, serviceSelectors: [{}] })],
    });
    assert.deepEqual(texts, ['BGPAdvertisement mixed: serviceSelectors and aggregationLength are mutually exclusive']);
  });

  test('F1a, F1b, F1c: communities, large communities, and names for either', () => {
    const { bgpAds, texts } = parse({
      pools,
      communities: [
        community('names', [
          { name: 'blue', value: '64513:7' },
          { name: 'big', value: 'large:64513:1:2' },
        ]),
      ],
      bgpAdvertisements: [bgpAd('ad', { communities: ['64512:1', 'large:1:2:3', 'blue', 'big'] })],
    });
    assert.deepEqual(texts, []);
    assert.deepEqual(bgpAds[0]?.communities, [64512 * 65536 + 1, 64513 * 65536 + 7]);
    assert.equal(bgpAds[0]?.largeCommunities.length, 2);
  });

  test('H9d, H10f: an unknown name and malformed values are reported; the other advertisement works', () => {
    const { bgpAds, texts } = parse({
      pools,
      bgpAdvertisements: [
        bgpAd('bad', { communities: ['green', '70000:1', '1:2:3', 'large:1:2'] }),
        bgpAd('good', {}, 1),
      ],
    });
    assert.deepEqual(
      bgpAds.map(({ name }) => name),
      ['good'],
    );
    assert.match(texts[0] ?? '', /community "green" is not defined/);
    assert.match(texts[1] ?? '', /invalid community value: invalid section/);
    assert.match(texts[2] ?? '', /expected community to be of format large/);
    assert.match(texts[3] ?? '', /invalid community value: invalid section/);
  });

  test('H10g: a name that is defined twice counts as the older object defines it', () => {
    const { texts } = parse({
      communities: [community('b', [{ name: 'x', value: '1:1' }], 2), community('a', [{ name: 'x', value: '1:2' }], 1)],
    });
    assert.deepEqual(texts, ['Community b: duplicate definition of community "x"']);
  });

  test('advertisements of the same routes to the same peers must agree on localPref', () => {
    const { bgpAds, texts } = parse({
      pools,
      bgpAdvertisements: [
        bgpAd('a', { localPref: 100 }),
        bgpAd('b', { localPref: 200 }, 1),
        bgpAd('c', { localPref: 300, aggregationLength: 32, peers: ['p'] }, 2),
      ],
    });
    assert.deepEqual(
      bgpAds.map(({ name }) => name),
      ['a'],
    );
    assert.equal(texts.length, 2);
  });
});

describe('BGPPeer', () => {
  const secret = (type: string, data: Record<string, string>): Secret => ({ metadata: { name: 'tor' }, type, data });

  test('the defaults', () => {
    const { peers } = parse({ peers: [peer('tor', {})] });
    const { port, holdTimeSeconds, keepaliveSeconds, connectRetryMs, multihop, gracefulRestart } =
      peers[0] ?? assert.fail();
    assert.deepEqual(
      { port, holdTimeSeconds, keepaliveSeconds, connectRetryMs, multihop, gracefulRestart },
      {
        port: 179,
        holdTimeSeconds: 90,
        keepaliveSeconds: undefined,
        connectRetryMs: 5000,
        multihop: false,
        gracefulRestart: true,
      },
    );
  });

  const faults: readonly [string, Partial<BgpPeer['spec']>, RegExp][] = [
    ['no AS of ours', { myASN: 0 }, /missing local ASN/],
    ['neither peerASN nor dynamicASN', { peerASN: 0 }, /exactly one of peerASN and dynamicASN/],
    ['both', { dynamicASN: 'external' }, /exactly one of peerASN and dynamicASN/],
    ['H10d: a malformed address', { peerAddress: 'tor' }, /invalid BGPPeer address "tor"/],
    ['no address', { peerAddress: '' }, /peerAddress must be set/],
    ['multihop inside one AS', { peerASN: 64513, ebgpMultiHop: true }, /ebgpMultiHop/],
    ['a hold time of 2 s', { holdTime: '2s' }, /invalid hold time "2s"/],
    ['keepalive longer than hold', { holdTime: '9s', keepaliveTime: '10s' }, /must be lower than holdTime/],
    ['a connect time with a fraction', { connectTime: '1500ms' }, /invalid connect time/],
    ['an IPv6 router ID', { routerID: '2001:db8::1' }, /must be an IPv4 address/],
    ['a source of another family', { sourceAddress: '2001:db8::1' }, /different families/],
    ['H9b: a missing BFD profile', { bfdProfile: 'fast' }, /non existing bfd profile fast/],
    ['a missing secret', { passwordSecret: { name: 'tor' } }, /secret ref not found/],
    ['a password too long for TCP MD5', { password: 'x'.repeat(81) }, /longer than 80 bytes/],
  ];
  for (const [name, spec, expected] of faults) {
    test(`${name} is reported, and the other peer works`, () => {
      const { peers, texts } = parse({ peers: [peer('bad', spec), peer('good', {})] });
      assert.deepEqual(
        peers.map((one) => one.name),
        ['good'],
      );
      assert.match(texts.join('\n'), expected);
    });
  }

  test('H9a: a secret of the wrong type is named as MetalLB names it', () => {
    const { texts } = parse({
      peers: [peer('tor', { passwordSecret: { name: 'tor' } })],
      secretOf: () => secret('Opaque', { password: '' }),
    });
    assert.deepEqual(texts, [
      'BGPPeer tor: secret type mismatch on "metallb-system"/"tor", type "kubernetes.io/basic-auth" is expected',
    ]);
  });

  test('E4: the password of a secret', () => {
    const data = { password: Buffer.from('mellon').toString('base64') };
    const { peers } = parse({
      peers: [peer('tor', { passwordSecret: { name: 'tor' } })],
      secretOf: () => secret('kubernetes.io/basic-auth', data),
    });
    assert.equal(peers[0]?.password, 'mellon');
  });

  test('a BFD profile that exists has no effect yet, and that is said; the session is there', () => {
    const { peers, problems } = parse({
      peers: [peer('tor', { bfdProfile: 'fast' })],
      bfdProfiles: [{ metadata: meta('fast') }],
    });
    assert.equal(peers.length, 1);
    assert.deepEqual(
      problems.map(({ severity }) => severity),
      ['unsupported'],
    );
  });

  test('localASN is the AS that the peer sees; either time follows from the other', () => {
    const { peers } = parse({ peers: [peer('a', { localASN: 65000, keepaliveTime: '1s' })] });
    assert.deepEqual([peers[0]?.localAsn, peers[0]?.holdTimeSeconds], [65000, 3]);
  });
});

test('durations as Go writes them', () => {
  const cases: readonly [string, number | undefined][] = [
    ['90s', 90_000],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['100ms', 100],
    ['0', 0],
    ['0s', 0],
    ['', undefined],
    ['5', undefined],
    ['-1s', undefined],
    ['1s ', undefined],
  ];
  for (const [text, expected] of cases) assert.equal(parseDuration(text), expected, text);
});

test('whatever is in the objects, parsing ends with a configuration', () => {
  const anything = fc.object({
    key: fc.constantFrom('addresses', 'communities', 'peers', 'nodeSelectors', 'peerAddress', 'myASN', 'holdTime'),
    maxDepth: 1,
  });
  fc.assert(
    fc.property(fc.array(fc.string()), anything, (addresses, spec) => {
      parse({ pools: [pool('p', addresses)] });
      const { peerAddress, holdTime } = spec;
      parse({ peers: [peer('p', { peerAddress: String(peerAddress), holdTime: String(holdTime) })] });
    }),
    { numRuns: 300 },
  );
});
