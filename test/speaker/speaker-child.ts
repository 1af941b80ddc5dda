/**
 * The speaker of one node over an API in memory, for tests that cut its power: node-1 … node-3 exist, and Services with addresses. The
 * line '?' on stdin is answered with a line of JSON about what the API holds, the line 'busy' blocks the main thread for six seconds.
 */
import { createInterface } from 'node:readline';
import { aborted, createLogger, MetricsRegistry, parseIp, signalOfTermination, systemClock } from '@ballast/base';
import { ENDPOINT_SLICES, EVENTS, FakeClient, NODES, SECRETS, SERVICES } from '@ballast/kube';
import {
  BGP_ADVERTISEMENTS,
  BGP_PEERS,
  CONFIGURATION_STATES,
  IP_ADDRESS_POOLS,
  L2_ADVERTISEMENTS,
  METALLB_NAMESPACE,
  SERVICE_BGP_STATUSES,
  SERVICE_L2_STATUSES,
  startSpeaker,
} from '@ballast/loadbalancer';

const [self = '', ...addresses] = process.argv.slice(2);
const stateDir = process.env.SPEAKER_STATE;
const client = new FakeClient();
const logger = createLogger({ level: 'info', fields: { node: self } });

const nodes = ['192.0.2.11', '192.0.2.12', '192.0.2.13'];
for (const [i, address] of nodes.entries()) {
  await client.create(NODES, {
    metadata: { name: `node-${i + 1}` },
    status: { conditions: [{ type: 'Ready', status: 'True' }], addresses: [{ type: 'InternalIP', address }] },
  });
}
const own = { namespace: METALLB_NAMESPACE };
await client.create(IP_ADDRESS_POOLS, {
  metadata: { ...own, name: 'lan' },
  spec: { addresses: ['192.0.2.200-192.0.2.250', '2001:db8::200-2001:db8::250'] },
});
await client.create(L2_ADVERTISEMENTS, { metadata: { ...own, name: 'lan' }, spec: {} });
if (process.env.SPEAKER_BGP) {
  await client.create(BGP_ADVERTISEMENTS, { metadata: { ...own, name: 'lan' }, spec: {} });
  await client.create(BGP_PEERS, {
    metadata: { ...own, name: 'router' },
    spec: { myASN: 64513, peerASN: 64512, peerAddress: '192.0.2.1', holdTime: '3s', connectTime: '1s' },
  });
}
await client.create(SECRETS, {
  metadata: { ...own, name: 'ballast-memberlist' },
  data: { secretkey: Buffer.alloc(32, 7).toString('base64') },
});
for (const [i, ips] of [
  ['192.0.2.200', '2001:db8::200'],
  ['192.0.2.201'],
  ['192.0.2.202'],
  ['192.0.2.203'],
].entries()) {
  await client.create(SERVICES, {
    metadata: { namespace: 'default', name: `web-${i}` },
    spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
    status: { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } },
  });
  await client.create(ENDPOINT_SLICES, {
    metadata: { namespace: 'default', name: `web-${i}`, labels: { 'kubernetes.io/service-name': `web-${i}` } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.42.0.2'], conditions: { ready: true }, nodeName: 'node-1' }],
  });
}

const metrics = new MetricsRegistry();
const speaker = startSpeaker({
  client,
  nodeName: self,
  nodeIps: addresses.map(parseIp).filter((ip) => ip !== undefined),
  logger,
  clock: systemClock,
  metrics,
  ...(stateDir === undefined ? {} : { stateDir }),
});
speaker.done.catch((error: unknown) => {
  logger.error('speaker failed', { error });
  process.exit(1);
});
createInterface({ input: process.stdin }).on('line', async (command) => {
  if (command === 'busy') {
    // What a long garbage collection or a large list does to the main thread.
    const endMs = performance.now() + 6000;
    while (performance.now() < endMs) {}
    return;
  }
  const [l2, bgp, states, events] = await Promise.all([
    client.list(SERVICE_L2_STATUSES),
    client.list(SERVICE_BGP_STATUSES),
    client.list(CONFIGURATION_STATES),
    client.list(EVENTS),
  ]);
  const answer = {
    l2: l2.items.map(({ status }) => status),
    bgp: bgp.items.map(({ status }) => status),
    states: states.items.map(({ metadata, status }) => ({ name: metadata.name, result: status?.result })),
    events: events.items.map(({ reason, message }) => `${reason}: ${message}`),
    metrics: metrics.expose(),
  };
  process.stdout.write(`${JSON.stringify(answer)}\n`);
});
await aborted(signalOfTermination(logger));
await speaker[Symbol.asyncDispose]();
process.exit(0);
