import { MetricsRegistry, silentLogger, systemClock } from '@ballast/base';
import { ENDPOINT_SLICES, type EndpointSlice, FakeClient, NODES, SERVICES, type Service } from '@ballast/kube';
import { kernelDataplane } from '../dataplane.ts';
import { type SampleEndpoint, sampleService, sampleSlice } from '../sample-services.ts';
import { type ServiceProxy, startServiceProxy } from '../service-proxy.ts';
import { NODE_IP, type PodName, podIp } from './network.ts';

export const NODE_NAME = 'node-a';

/** A pod of the test network as an endpoint; local unless said otherwise. */
export function at(pod: PodName, rest: Partial<SampleEndpoint> & { readonly family?: 4 | 6 } = {}): SampleEndpoint {
  return { ip: podIp(pod, rest.family ?? 4), node: NODE_NAME, ...rest };
}

/** Objects in memory, and a proxy that programs them into a namespace. */
export class TestCluster implements AsyncDisposable {
  readonly client = new FakeClient();
  readonly metrics = new MetricsRegistry();
  readonly #netns: string;
  #proxy: ServiceProxy | undefined;

  constructor(netns: string) {
    this.#netns = netns;
  }

  async start(): Promise<void> {
    const node = { metadata: { name: NODE_NAME, labels: { 'topology.kubernetes.io/zone': 'zone-1' } } };
    if (!(await this.client.find(NODES, { name: NODE_NAME }))) await this.client.create(NODES, node);
    this.#proxy = startServiceProxy({
      client: this.client,
      nodeName: NODE_NAME,
      nodeIps: [NODE_IP, '2001:db8::11'],
      clusterCidr: '10.42.0.0/16,fd42::/48',
      serviceCidr: '10.43.0.0/16,fd43::/112',
      logger: silentLogger,
      clock: systemClock,
      metrics: this.metrics,
      dataplane: kernelDataplane({ netns: this.#netns }),
    });
    await this.#proxy.programmed;
  }

  /** Creates or replaces a Service with its endpoints. */
  async put(
    name: string,
    spec: Service['spec'],
    endpoints: readonly SampleEndpoint[],
    rest: Partial<Service> & { readonly slice?: Parameters<typeof sampleSlice>[2] } = {},
  ): Promise<void> {
    const { slice, ...fields } = rest;
    const service = sampleService(name, spec, fields);
    const slices = sampleSlice(name, endpoints, slice);
    if (await this.client.find(SERVICES, { namespace: 'default', name })) await this.client.update(SERVICES, service);
    else await this.client.create(SERVICES, service);
    // The fake server keeps status apart, as the real one does.
    if (fields.status) {
      await this.client.update(SERVICES, service, { subresource: 'status' });
    }
    await this.slice(slices);
  }

  async slice(slice: EndpointSlice): Promise<void> {
    const { namespace, name } = slice.metadata;
    const ref = namespace === undefined ? { name } : { namespace, name };
    if (await this.client.find(ENDPOINT_SLICES, ref)) await this.client.update(ENDPOINT_SLICES, slice);
    else await this.client.create(ENDPOINT_SLICES, slice);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#proxy?.[Symbol.asyncDispose]();
  }
}

/** Repeats `attempt` until `isGood` or two seconds have passed; returns the last result. */
export async function eventually<T>(attempt: () => Promise<T>, isGood: (result: T) => boolean): Promise<T> {
  const endMs = performance.now() + 2000;
  for (;;) {
    const result = await attempt();
    if (isGood(result) || performance.now() > endMs) return result;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** How often each result occurred. */
export function tally(results: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const result of results) counts[result] = (counts[result] ?? 0) + 1;
  return counts;
}
