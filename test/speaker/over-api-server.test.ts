import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { MetricsRegistry, silentLogger, systemClock } from '@ballast/base';
import {
  CUSTOM_RESOURCE_DEFINITIONS,
  EVENTS,
  isApiError,
  type KubeClient,
  type KubeObject,
  NAMESPACES,
  type Resource,
  SERVICES,
} from '@ballast/kube';
import {
  BFD_PROFILES,
  BGP_ADVERTISEMENTS,
  BGP_PEERS,
  COMMUNITIES,
  CONFIGURATION_STATES,
  IP_ADDRESS_POOLS,
  L2_ADVERTISEMENTS,
  METALLB_CRDS,
  METALLB_NAMESPACE,
  startAddressController,
} from '@ballast/loadbalancer';
import { startTestServer } from '../../packages/apiserver/src/testdata/test-server.ts';

async function eventually<T>(what: string, read: () => Promise<T | undefined | false>): Promise<T> {
  const deadlineMs = performance.now() + 20_000;
  while (performance.now() < deadlineMs) {
    const value = await read();
    if (value !== undefined && value !== false) return value;
    await sleep(20);
  }
  throw new Error(`did not happen: ${what}`);
}

const metadata = (name: string) => ({ name, namespace: METALLB_NAMESPACE });
const OLD_PEERS: Resource = { ...BGP_PEERS, version: 'v1beta1' };

/** As in MetalLB's own examples. */
const GOOD: readonly [string, Resource, KubeObject & { spec?: object }][] = [
  [
    'a pool',
    IP_ADDRESS_POOLS,
    { metadata: metadata('lan'), spec: { addresses: ['192.0.2.200-192.0.2.250', '2001:db8:f::/112'] } },
  ],
  [
    'a pool for some',
    IP_ADDRESS_POOLS,
    {
      metadata: metadata('team'),
      spec: {
        addresses: ['10.9.0.0/24'],
        autoAssign: false,
        avoidBuggyIPs: true,
        serviceAllocation: {
          priority: 50,
          namespaces: ['team'],
          namespaceSelectors: [{ matchLabels: { foo: 'bar' } }],
          serviceSelectors: [{ matchExpressions: [{ key: 'app', operator: 'In', values: ['bar'] }] }],
        },
      },
    },
  ],
  ['an L2Advertisement without spec', L2_ADVERTISEMENTS, { metadata: metadata('all') }],
  [
    'an L2Advertisement with everything',
    L2_ADVERTISEMENTS,
    {
      metadata: metadata('some'),
      spec: {
        ipAddressPools: ['lan'],
        nodeSelectors: [{ matchLabels: { 'kubernetes.io/hostname': 'a' } }],
        interfaces: ['eth0'],
        preferredNodeSelectors: [{ weight: 100, preference: {} }],
      },
    },
  ],
  [
    'a BGPAdvertisement',
    BGP_ADVERTISEMENTS,
    {
      metadata: metadata('all'),
      spec: {
        ipAddressPools: ['lan'],
        aggregationLength: 32,
        localPref: 100,
        communities: ['vpn-only', '65535:65282'],
      },
    },
  ],
  [
    'communities',
    COMMUNITIES,
    {
      metadata: metadata('names'),
      spec: {
        communities: [
          { name: 'vpn-only', value: '1234:1' },
          { name: 'big', value: 'large:1:2:3' },
        ],
      },
    },
  ],
  [
    'a BGPPeer v1beta2',
    BGP_PEERS,
    {
      metadata: metadata('tor'),
      spec: {
        myASN: 64513,
        peerASN: 64512,
        peerAddress: '192.0.2.1',
        holdTime: '90s',
        connectTime: '5s',
        nodeSelectors: [{ matchLabels: { rack: '1' } }],
      },
    },
  ],
  [
    'a BGPPeer v1beta1',
    OLD_PEERS,
    {
      metadata: metadata('old'),
      spec: { myASN: 64513, peerASN: 64512, peerAddress: '192.0.2.2', peerPort: 179, keepaliveTime: '30s' },
    },
  ],
  [
    'a BFDProfile',
    BFD_PROFILES,
    {
      metadata: metadata('fast'),
      spec: {
        receiveInterval: 280,
        transmitInterval: 270,
        detectMultiplier: 37,
        echoMode: false,
        passiveMode: true,
        minimumTtl: 254,
      },
    },
  ],
];

const BAD: readonly [string, Resource, KubeObject & { spec?: object }][] = [
  ['a pool without addresses', IP_ADDRESS_POOLS, { metadata: metadata('bad'), spec: {} }],
  ['a pool without spec', IP_ADDRESS_POOLS, { metadata: metadata('bad') }],
  [
    'a weight of 101',
    L2_ADVERTISEMENTS,
    { metadata: metadata('bad'), spec: { preferredNodeSelectors: [{ weight: 101, preference: {} }] } },
  ],
  ['an aggregation length of 0', BGP_ADVERTISEMENTS, { metadata: metadata('bad'), spec: { aggregationLength: 0 } }],
  [
    'a peer without an AS of ours',
    BGP_PEERS,
    { metadata: metadata('bad'), spec: { peerASN: 1, peerAddress: '192.0.2.1' } },
  ],
  [
    'a port of 20000',
    BGP_PEERS,
    { metadata: metadata('bad'), spec: { myASN: 1, peerASN: 1, peerAddress: '192.0.2.1', peerPort: 20000 } },
  ],
  [
    'a dynamic AS of another sort',
    BGP_PEERS,
    { metadata: metadata('bad'), spec: { myASN: 1, dynamicASN: 'any', peerAddress: '192.0.2.1' } },
  ],
  ['an old peer without address', OLD_PEERS, { metadata: metadata('bad'), spec: { myASN: 1, peerASN: 1 } }],
  ['a BFD interval of 9 ms', BFD_PROFILES, { metadata: metadata('bad'), spec: { receiveInterval: 9 } }],
];

suite("MetalLB's objects over a real API server", () => {
  const stack = new AsyncDisposableStack();
  let client: KubeClient;

  before(async () => {
    client = stack.use(await startTestServer()).client;
    await client.create(NAMESPACES, { metadata: { name: METALLB_NAMESPACE } });
    for (const definition of METALLB_CRDS) await client.create(CUSTOM_RESOURCE_DEFINITIONS, definition);
    for (const definition of METALLB_CRDS) {
      await eventually(`${definition.metadata.name} is established`, async () => {
        const { status } = await client.get(CUSTOM_RESOURCE_DEFINITIONS, { name: definition.metadata.name });
        return status?.conditions?.some(({ type, status: holds }) => type === 'Established' && holds === 'True');
      });
    }
    stack.use(
      startAddressController({ client, logger: silentLogger, clock: systemClock, metrics: new MetricsRegistry() }),
    );
  });
  after(() => stack.disposeAsync());

  for (const [name, resource, object] of GOOD) {
    test(`${name} is taken as it is`, async () => {
      const created = await client.create(resource, object);
      assert.equal(created.metadata.name, object.metadata.name);
    });
  }

  for (const [name, resource, object] of BAD) {
    test(`${name} is refused`, async () => {
      await assert.rejects(client.create(resource, object), (error) => isApiError(error, 'Invalid'));
    });
  }

  test('an old peer is read in the new version, with its default', async () => {
    const peer = await client.get(BGP_PEERS, { namespace: METALLB_NAMESPACE, name: 'old' });
    assert.equal(peer.apiVersion, 'metallb.io/v1beta2');
    assert.deepEqual([peer.spec.peerAddress, peer.spec.keepaliveTime], ['192.0.2.2', '30s']);
  });

  test('a Service gets an address, the pool counts it, and deleting gives it back', async () => {
    const service = { namespace: 'default', name: 'web' };
    await client.create(SERVICES, {
      metadata: service,
      spec: { type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port: 80, protocol: 'TCP' }] },
    });
    const ingress = await eventually(
      'an address',
      async () => (await client.get(SERVICES, service)).status?.loadBalancer?.ingress,
    );
    assert.equal(ingress[0]?.ip, '192.0.2.200');
    const pool = () => client.get(IP_ADDRESS_POOLS, { namespace: METALLB_NAMESPACE, name: 'lan' });
    await eventually('one in use', async () => (await pool()).status?.assignedIPv4 === 1);
    await eventually('the event', async () =>
      (await client.list(EVENTS, { namespace: 'default' })).items.some(({ reason }) => reason === 'IPAllocated'),
    );
    await eventually(
      'annotated',
      async () =>
        (await client.get(SERVICES, service)).metadata.annotations?.['metallb.io/ip-allocated-from-pool'] === 'lan',
    );
    await client.patch(SERVICES, service, { type: 'merge', body: { spec: { type: 'ClusterIP' } } });
    await eventually('none in use', async () => (await pool()).status?.assignedIPv4 === 0);
    await eventually(
      'status empty',
      async () => ((await client.get(SERVICES, service)).status?.loadBalancer?.ingress ?? []).length === 0,
    );
  });

  test('the state of the controller says that all is well', async () => {
    const state = await eventually('the state', () =>
      client.find(CONFIGURATION_STATES, { namespace: METALLB_NAMESPACE, name: 'controller' }),
    );
    await eventually(
      'valid',
      async () =>
        (await client.get(CONFIGURATION_STATES, { namespace: METALLB_NAMESPACE, name: 'controller' })).status
          ?.result === 'Valid',
    );
    assert.equal(state.metadata.labels?.['metallb.io/component-type'], 'controller');
  });
});
