/** What 10,000 Services cost: allocation, election and routes on a hundred nodes, and the UPDATEs for one peer. npm run bench -- speaker */
import { performance } from 'node:perf_hooks';
import { parseCidr, parseIp } from '@ballast/base';
import { AdjRibOut } from '../../packages/bgp/src/adj-rib-out.ts';
import { Allocator } from '../../packages/loadbalancer/src/allocation/allocator.ts';
import { parseConfiguration } from '../../packages/loadbalancer/src/configuration/parse-configuration.ts';
import { mergeRoutes, routesOf } from '../../packages/loadbalancer/src/speaker/bgp-routes.ts';
import type { NodeFacts, ServiceFacts } from '../../packages/loadbalancer/src/speaker/facts.ts';
import { rankL2 } from '../../packages/loadbalancer/src/speaker/l2-election.ts';

const SERVICES = 10_000;
const NODES = 100;

function measure<T>(what: string, body: () => T): T {
  const startedMs = performance.now();
  const result = body();
  process.stdout.write(`${what.padEnd(60)} ${(performance.now() - startedMs).toFixed(1)} ms\n`);
  return result;
}

const metadata = { name: 'all', namespace: 'metallb-system' };
const configuration = parseConfiguration({
  pools: [{ metadata, spec: { addresses: ['10.0.0.0/16'] } }],
  l2Advertisements: [{ metadata }],
  bgpAdvertisements: [{ metadata }],
  peers: [],
  bfdProfiles: [],
  communities: [],
  secretOf: () => undefined,
});
const nodes: NodeFacts[] = Array.from({ length: NODES }, (_, i) => ({
  name: `node-${i}`,
  labels: {},
  ready: true,
  unfit: undefined,
}));
const [first] = nodes;
const nextHop = parseIp('192.0.2.11');
if (!first || !nextHop) throw new Error('unreachable');

const allocator = new Allocator();
allocator.configure({ pools: configuration.pools, labelsOfNamespace: () => ({}) });
const services = measure(`allocate ${SERVICES} addresses`, () =>
  Array.from({ length: SERVICES }, (_, i): ServiceFacts => {
    const result = allocator.allocate({
      key: `default/s${i}`,
      namespace: 'default',
      labels: {},
      families: [4],
      acceptsOneFamily: true,
      addresses: [],
      pool: undefined,
      sharingKey: '',
      backendKey: '',
      ports: ['tcp/80'],
    });
    if ('why' in result) throw new Error(result.why);
    const { addresses } = result.allocation;
    return {
      key: `default/s${i}`,
      labels: {},
      addresses,
      local: false,
      shared: false,
      hasEndpoint: true,
      endpointNodes: new Set(['node-0']),
    };
  }),
);
measure(`rank ${NODES} nodes for each Service`, () =>
  services.map((service) => rankL2(service, { configuration, nodes, self: 'node-0' })),
);
const routes = measure('routes of each Service to two peers', () =>
  services.map((service) => {
    const result = routesOf(service, { configuration, node: first, otherNodeIsReady: true, peers: ['a', 'b'] });
    return 'why' in result ? [] : result;
  }),
);
measure('merge them', () => mergeRoutes(routes));
const rib = new AdjRibOut();
const context = { fourOctetAs: true, internal: false };
const families = new Set(['ipv4-unicast'] as const);
const attributes = { origin: 'igp', asPath: [{ type: 'sequence', asns: [64513] }], nextHop } as const;
const messages = measure('UPDATEs for one peer', () => {
  for (const service of services)
    for (const ip of service.addresses) rib.announce({ prefix: { ip, prefixLength: 32 }, attributes });
  return rib.takeUpdates(families, context);
});
process.stdout.write(
  `  ${messages.length} messages, ${messages.reduce((sum, bytes) => sum + bytes.length, 0)} bytes\n`,
);
const prefix = parseCidr('10.0.0.7/32');
if (!prefix) throw new Error('unreachable');
measure('withdraw one of them', () => {
  rib.withdraw(prefix);
  return rib.takeUpdates(families, context);
});
