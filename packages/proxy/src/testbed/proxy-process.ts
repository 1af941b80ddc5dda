import { readFileSync } from 'node:fs';
import { MetricsRegistry, silentLogger, systemClock } from '@ballast/base';
import { ENDPOINT_SLICES, type EndpointSlice, FakeClient, SERVICES, type Service } from '@ballast/kube';
import { startServiceProxy } from '../service-proxy.ts';
import { NODE_IP } from './network.ts';

/** A proxy as a process of its own, to be killed: `proxy-process.ts OBJECTS.json`, run inside the node's namespace. Says "ready" once. */
const objects = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as {
  services: Service[];
  slices: EndpointSlice[];
};
const client = new FakeClient();
for (const service of objects.services) await client.create(SERVICES, service);
for (const slice of objects.slices) await client.create(ENDPOINT_SLICES, slice);
const proxy = startServiceProxy({
  client,
  nodeName: 'node-a',
  nodeIps: [NODE_IP],
  clusterCidr: '10.42.0.0/16',
  serviceCidr: '10.43.0.0/16',
  logger: silentLogger,
  clock: systemClock,
  metrics: new MetricsRegistry(),
});
await proxy.programmed;
process.stdout.write('ready\n');
// Ends with the test that started it, however that ends.
process.stdin.on('end', () => process.exit(0)).resume();
await proxy.done;
