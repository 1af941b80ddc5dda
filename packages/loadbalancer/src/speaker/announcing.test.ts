import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatCidr, formatIp, parseIp } from '@ballast/base';
import { formatCommunity } from '@ballast/bgp';
import type { LabelSelector, Node } from '@ballast/kube';
import { parseConfiguration } from '../configuration/parse-configuration.ts';
import type { BgpAdvertisement, IpAddressPool, L2Advertisement } from '../resources/kinds.ts';
import { peersOfNode } from './bgp-peers.ts';
import { mergeRoutes, routesOf } from './bgp-routes.ts';
import { EXCLUDE_LABEL, type NodeFacts, nodeFacts, type ServiceFacts, serviceFacts } from './facts.ts';
import { rankL2 } from './l2-election.ts';

const meta = (name: string) => ({ name, namespace: 'metallb-system' });
const POOLS: IpAddressPool[] = [
  { metadata: meta('lan'), spec: { addresses: ['192.0.2.0/24', '2001:db8::/64'] } },
  { metadata: meta('other'), spec: { addresses: ['10.0.0.0/24'] } },
];

function configuration(objects: { l2?: L2Advertisement['spec'][]; bgp?: BgpAdvertisement['spec'][] }) {
  const parsed = parseConfiguration({
    pools: POOLS,
    l2Advertisements: (objects.l2 ?? []).map((spec, i) => ({ metadata: meta(`l2-${i}`), ...(spec ? { spec } : {}) })),
    bgpAdvertisements: (objects.bgp ?? []).map((spec, i) => ({
      metadata: meta(`bgp-${i}`),
      ...(spec ? { spec } : {}),
    })),
    peers: [
      { metadata: meta('a'), spec: { myASN: 64513, peerASN: 64512, peerAddress: '192.0.2.1' } },
      {
        metadata: meta('b'),
        spec: {
          myASN: 64513,
          peerASN: 64512,
          peerAddress: '192.0.2.2',
          nodeSelectors: [{ matchLabels: { rack: '1' } }],
        },
      },
    ],
    bfdProfiles: [],
    communities: [],
    secretOf: () => undefined,
  });
  assert.deepEqual(
    parsed.problems.map(({ message }) => message),
    [],
  );
  return parsed;
}

function node(name: string, more: Partial<NodeFacts> = {}): NodeFacts {
  return {
    name,
    labels: { 'kubernetes.io/hostname': name, ...more.labels },
    ready: more.ready ?? true,
    unfit: more.unfit,
  };
}

function service(more: Partial<Omit<ServiceFacts, 'addresses'>> & { addresses?: string[] } = {}): ServiceFacts {
  const { addresses = ['192.0.2.200'], ...rest } = more;
  return {
    key: 'default/web',
    labels: { app: 'web' },
    addresses: addresses.map((text) => parseIp(text) ?? assert.fail(text)),
    local: false,
    shared: false,
    hasEndpoint: true,
    endpointNodes: new Set(['n1', 'n2']),
    ...rest,
  };
}

const host = (...names: string[]): LabelSelector[] =>
  names.map((name) => ({ matchLabels: { 'kubernetes.io/hostname': name } }));
const NODES = [node('n1'), node('n2'), node('n3')];

describe('layer 2 election', () => {
  function rank(of: ServiceFacts, l2: L2Advertisement['spec'][], nodes: readonly NodeFacts[] = NODES, self = 'n1') {
    const result = rankL2(of, { configuration: configuration({ l2 }), nodes, self });
    return 'why' in result ? result.why : result.candidates.join();
  }
  const baseline = rank(service(), [{}]);
  const [first = '', second = ''] = baseline.split(',');

  test('every node computes the same order, whatever order it saw the nodes in', () => {
    for (const self of ['n1', 'n2', 'n3']) assert.equal(rank(service(), [{}], [...NODES].reverse(), self), baseline);
  });

  test('owners are spread over nodes', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 250; i++) {
      const owner = rank(service({ addresses: [`192.0.2.${i}`] }), [{}]).split(',')[0] ?? '';
      counts.set(owner, (counts.get(owner) ?? 0) + 1);
    }
    assert.ok(
      [...counts.values()].every((count) => count > 50),
      JSON.stringify([...counts]),
    );
  });

  test('A5, A6: a node whose network is down, or that is excluded by label, is no candidate', () => {
    const without = (unfit: NonNullable<NodeFacts['unfit']>) =>
      NODES.map((one) => (one.name === first ? { ...one, unfit } : one));
    assert.equal(rank(service(), [{}], without('nodeNetworkUnavailable')).split(',')[0], second);
    assert.equal(rank(service(), [{}], without('nodeLabeledExcludeBalancers')).split(',')[0], second);
  });

  test('a node that is not Ready comes last, and still counts when no other is', () => {
    const nodes = NODES.map((one) => ({ ...one, ready: one.name !== first }));
    assert.equal(rank(service(), [{}], nodes).split(',')[2], first);
    assert.equal(
      rank(
        service(),
        [{}],
        NODES.map((one) => ({ ...one, ready: false })),
      ),
      baseline,
    );
  });

  test('A2: with policy Local, only nodes with an endpoint', () => {
    assert.equal(rank(service({ local: true, endpointNodes: new Set(['n3']) }), [{}]), 'n3');
    assert.equal(rank(service({ local: true, endpointNodes: new Set() }), [{}]), 'noLocalEndpoints');
    assert.equal(rank(service({ hasEndpoint: false }), [{}]), 'noEndpoints');
  });

  test('B1, B2, B11: node selectors filter, several are united, also over advertisements', () => {
    assert.equal(rank(service(), [{ nodeSelectors: host('n2') }]), 'n2');
    assert.deepEqual(
      rank(service(), [{ nodeSelectors: host('n2', 'n3') }])
        .split(',')
        .sort(),
      ['n2', 'n3'],
    );
    assert.deepEqual(
      rank(service(), [{ nodeSelectors: host('n1') }, { nodeSelectors: host('n3') }])
        .split(',')
        .sort(),
      ['n1', 'n3'],
    );
    assert.equal(rank(service(), [{ nodeSelectors: host('n9') }]), 'noMatchingAdvertisement');
  });

  test('B10, B12, B13: pool and Service selectors must both match, several Service selectors are OR-ed', () => {
    assert.equal(rank(service(), [{ ipAddressPools: ['other'] }]), 'noMatchingAdvertisement');
    assert.equal(rank(service(), [{ serviceSelectors: [{ matchLabels: { app: 'db' } }] }]), 'noMatchingAdvertisement');
    assert.equal(
      rank(service(), [{ serviceSelectors: [{ matchLabels: { app: 'db' } }, { matchLabels: { app: 'web' } }] }]),
      baseline,
    );
    assert.equal(rank(service(), []), 'noMatchingAdvertisement');
    assert.equal(rank(service({ addresses: ['203.0.113.1'] }), [{}]), 'ipNotAllowed');
  });

  test('a shared address and Service selectors do not go together', () => {
    assert.equal(
      rank(service({ shared: true }), [{ serviceSelectors: [{ matchLabels: { app: 'web' } }] }]),
      'sharedIPWithServiceSelector',
    );
    assert.equal(rank(service({ shared: true }), [{}]), baseline);
  });

  test('B14 to B21: preferences order, hard selectors filter, weights are summed over advertisements', () => {
    const prefer = (weight: number, name: string) => ({ weight, preference: host(name)[0] ?? {} });
    assert.equal(rank(service(), [{ preferredNodeSelectors: [prefer(10, 'n2')] }]).split(',')[0], 'n2');
    assert.equal(rank(service(), [{ preferredNodeSelectors: [prefer(10, 'n9')] }]), baseline);
    assert.equal(rank(service(), [{ nodeSelectors: host('n1'), preferredNodeSelectors: [prefer(10, 'n3')] }]), 'n1');
    assert.equal(
      rank(service(), [
        { preferredNodeSelectors: [prefer(60, 'n1'), prefer(40, 'n2')] },
        { preferredNodeSelectors: [prefer(30, 'n2')] },
      ]).split(',')[0],
      'n2',
    );
    assert.equal(
      rank(service(), [
        {},
        { serviceSelectors: [{ matchLabels: { app: 'db' } }], preferredNodeSelectors: [prefer(100, 'n2')] },
      ]),
      baseline,
    );
  });

  test('B4, B8, B9: interfaces are united over the advertisements that cover the node; one without a list means all', () => {
    const interfaces = (l2: L2Advertisement['spec'][], self: string) => {
      const result = rankL2(service(), { configuration: configuration({ l2 }), nodes: NODES, self });
      return 'why' in result ? result.why : result.interfaces;
    };
    assert.deepEqual(interfaces([{ interfaces: ['eth1'] }, { interfaces: ['eth0'] }], 'n1'), ['eth0', 'eth1']);
    assert.deepEqual(
      interfaces(
        [
          { interfaces: ['eth1'], nodeSelectors: host('n1') },
          { interfaces: ['eth0'], nodeSelectors: host('n2') },
        ],
        'n2',
      ),
      ['eth0'],
    );
    assert.deepEqual(interfaces([{ interfaces: ['eth1'] }, {}], 'n1'), []);
  });
});

describe('BGP routes', () => {
  function routes(
    of: ServiceFacts,
    bgp: BgpAdvertisement['spec'][],
    more: { node?: NodeFacts; otherNodeIsReady?: boolean; peers?: string[] } = {},
  ) {
    const result = routesOf(of, {
      configuration: configuration({ bgp }),
      node: more.node ?? node('n1'),
      otherNodeIsReady: more.otherNodeIsReady ?? true,
      peers: more.peers ?? ['a', 'b'],
    });
    if ('why' in result) return result.why;
    return result.map(({ peer, prefix, localPref, communities }) =>
      [peer, formatCidr(prefix), ...(localPref ? [`pref ${localPref}`] : []), ...communities.map(formatCommunity)].join(
        ' ',
      ),
    );
  }

  test('D1: every node announces a Service of policy Cluster, D2: only those with pods one of policy Local', () => {
    assert.deepEqual(routes(service(), [{}]), ['a 192.0.2.200/32', 'b 192.0.2.200/32']);
    assert.deepEqual(routes(service({ local: true }), [{}]), ['a 192.0.2.200/32', 'b 192.0.2.200/32']);
    assert.equal(routes(service({ local: true }), [{}], { node: node('n3') }), 'noLocalEndpoints');
    assert.equal(routes(service({ hasEndpoint: false }), [{}]), 'noEndpoints');
  });

  test('D5: a node whose network is down, and one that is excluded, withdraw', () => {
    assert.equal(
      routes(service(), [{}], { node: node('n1', { unfit: 'nodeNetworkUnavailable' }) }),
      'nodeNetworkUnavailable',
    );
    assert.equal(
      routes(service(), [{}], { node: node('n1', { unfit: 'nodeLabeledExcludeBalancers' }) }),
      'nodeLabeledExcludeBalancers',
    );
  });

  test('a node that is not Ready withdraws while another one is; if none is, all go on', () => {
    assert.equal(routes(service(), [{}], { node: node('n1', { ready: false }) }), 'nodeNotReady');
    assert.equal(routes(service(), [{}], { node: node('n1', { ready: false }), otherNodeIsReady: false }).length, 2);
  });

  test('F6a, F6c: peers of an advertisement, each with its own community', () => {
    assert.deepEqual(
      routes(service(), [
        { peers: ['a'], communities: ['1:1'] },
        { peers: ['b'], communities: ['1:2'] },
      ]),
      ['a 192.0.2.200/32 1:1', 'b 192.0.2.200/32 1:2'],
    );
    assert.deepEqual(routes(service(), [{ peers: ['nobody'] }]), []);
  });

  test('F2: overlapping advertisements unite their communities', () => {
    assert.deepEqual(routes(service(), [{ communities: ['1:1'] }, { communities: ['1:2'] }], { peers: ['a'] }), [
      'a 192.0.2.200/32 1:1 1:2',
    ]);
  });

  test('F1d, F3: local preference and aggregation, of both families', () => {
    const dual = service({ addresses: ['192.0.2.200', '2001:db8::200'] });
    assert.deepEqual(
      routes(dual, [{ localPref: 200, aggregationLength: 24, aggregationLengthV6: 64 }], { peers: ['a'] }),
      ['a 192.0.2.0/24 pref 200', 'a 2001:db8::/64 pref 200'],
    );
  });

  test('F7c, F8a: an advertisement that selects neither node nor Service announces nothing', () => {
    assert.equal(routes(service(), [{ nodeSelectors: host('n9') }]), 'noMatchingAdvertisement');
    assert.equal(
      routes(service(), [{ serviceSelectors: [{ matchLabels: { app: 'db' } }] }]),
      'noMatchingAdvertisement',
    );
  });

  test('F8e: a host route for selected Services beside an aggregate for all', () => {
    assert.deepEqual(
      routes(service(), [{ serviceSelectors: [{ matchLabels: { app: 'web' } }] }, { aggregationLength: 24 }], {
        peers: ['a'],
      }),
      ['a 192.0.2.200/32', 'a 192.0.2.0/24'],
    );
  });

  test('selected advertisements that disagree on local preference withdraw the Service', () => {
    const selected = [{ matchLabels: { app: 'web' } }];
    assert.equal(
      routes(service(), [
        { serviceSelectors: selected, localPref: 1 },
        { serviceSelectors: selected, localPref: 2 },
      ]),
      'conflictingAdvertisements',
    );
  });

  test('an aggregate is one route, and stays while any Service wants it', () => {
    const one = routesOf(service(), {
      configuration: configuration({ bgp: [{ aggregationLength: 24, communities: ['1:1'] }] }),
      node: node('n1'),
      otherNodeIsReady: true,
      peers: ['a'],
    });
    const two = routesOf(service({ key: 'default/other', addresses: ['192.0.2.201'] }), {
      configuration: configuration({ bgp: [{ aggregationLength: 24 }] }),
      node: node('n1'),
      otherNodeIsReady: true,
      peers: ['a'],
    });
    assert.ok(!('why' in one) && !('why' in two));
    assert.deepEqual([...(mergeRoutes([one, two]).get('a')?.keys() ?? [])], ['192.0.2.0/24']);
    assert.deepEqual(mergeRoutes([two]).get('a')?.get('192.0.2.0/24')?.communities, []);
    assert.equal(mergeRoutes([]).size, 0);
  });
});

describe('peers of a node', () => {
  const gracefulRestart = { restartTimeSeconds: 120, restarted: true, forwardingPreserved: true };
  const ips = (...texts: string[]) => texts.map((text) => parseIp(text) ?? assert.fail(text));

  test('E8: sessions are on exactly the nodes that a peer selects', () => {
    const names = (of: NodeFacts) =>
      peersOfNode(configuration({}), { node: of, nodeIps: ips('192.0.2.11'), gracefulRestart }).map(({ name }) => name);
    assert.deepEqual(names(node('n1')), ['a']);
    assert.deepEqual(names(node('n1', { labels: { rack: '1' } })), ['a', 'b']);
  });

  test('a neighbour gets TTL 1, our address as identifier, and graceful restart', () => {
    const [peer] = peersOfNode(configuration({}), {
      node: node('n1'),
      nodeIps: ips('192.0.2.11', '2001:db8::11'),
      gracefulRestart,
    });
    assert.ok(peer);
    assert.deepEqual(
      [peer.ttl, formatIp(peer.routerId), peer.families, peer.gracefulRestart?.restarted],
      [1, '192.0.2.11', ['ipv4-unicast'], true],
    );
    assert.equal(peer.nextHops?.[6] && formatIp(peer.nextHops[6]), '2001:db8::11');
  });

  test('a node without IPv4 gets a stable identifier; nobody peers with itself', () => {
    const [peer] = peersOfNode(configuration({}), { node: node('n1'), nodeIps: ips('2001:db8::11'), gracefulRestart });
    assert.ok(peer && peer.routerId.value > 0n);
    assert.deepEqual(
      peersOfNode(configuration({}), { node: node('n1'), nodeIps: ips('192.0.2.1'), gracefulRestart }),
      [],
    );
  });
});

describe('facts', () => {
  test('nodes: conditions and the exclude label', () => {
    const of = (
      conditions: Record<string, 'True' | 'False' | 'Unknown'>,
      labels: Record<string, string> = {},
    ): Node => ({
      metadata: { name: 'n1', labels },
      status: { conditions: Object.entries(conditions).map(([type, status]) => ({ type, status })) },
    });
    assert.equal(nodeFacts(of({ Ready: 'True' })).ready, true);
    assert.equal(nodeFacts(of({ Ready: 'Unknown' })).ready, false);
    assert.equal(nodeFacts(of({ Ready: 'True', NetworkUnavailable: 'True' })).unfit, 'nodeNetworkUnavailable');
    assert.equal(nodeFacts(of({ Ready: 'True' }, { [EXCLUDE_LABEL]: '' })).unfit, 'nodeLabeledExcludeBalancers');
  });

  test('Services: endpoints that are ready, or terminating and still serving, are usable', () => {
    const object = {
      metadata: { name: 'web', namespace: 'default' },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.200' }] } },
    };
    const slice = (conditions: { ready?: boolean; serving?: boolean; terminating?: boolean }) => ({
      metadata: { name: 's' },
      addressType: 'IPv4' as const,
      endpoints: [{ addresses: ['10.42.0.2'], conditions, nodeName: 'n1' }],
    });
    for (const [conditions, usable] of [
      [{}, true],
      [{ ready: true }, true],
      [{ ready: false, serving: true, terminating: true }, true],
      [{ ready: false, serving: false }, false],
      [{ ready: false }, false],
    ] as const) {
      const facts = serviceFacts(object, [slice(conditions)]);
      assert.deepEqual([facts?.hasEndpoint, facts?.endpointNodes.has('n1')], [usable, usable]);
    }
    assert.equal(
      serviceFacts({ ...object, status: { loadBalancer: { ingress: [{ hostname: 'x' }] } } }, []),
      undefined,
    );
    assert.equal(serviceFacts({ ...object, status: {} }, []), undefined);
  });
});
