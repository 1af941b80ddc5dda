import type { EndpointSlice, Service } from '@ballast/kube';
import type { NodeView } from './compile.ts';

/** Objects for tests and benchmarks, as the API server would show them. */

export const SAMPLE_NODE: NodeView = {
  nodeName: 'node-a',
  lostNodes: new Set(),
  zone: 'zone-1',
  nodeAddresses: ['192.0.2.11', '2001:db8::11'],
  families: [4, 6],
};

export interface SampleEndpoint {
  readonly ip: string;
  readonly node?: string;
  readonly ready?: boolean;
  readonly serving?: boolean;
  readonly terminating?: boolean;
  readonly forNodes?: readonly string[];
  readonly forZones?: readonly string[];
}

export function sampleService(name: string, spec: Service['spec'], rest: Partial<Service> = {}): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: { type: 'ClusterIP', ports: [{ port: 80 }], ...spec },
    ...rest,
  };
}

export function sampleSlice(
  service: string,
  endpoints: readonly SampleEndpoint[],
  options: {
    readonly port?: number;
    readonly portName?: string;
    readonly protocol?: 'TCP' | 'UDP' | 'SCTP';
    readonly name?: string;
    readonly family?: 4 | 6;
  } = {},
): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: options.name ?? `${service}-1`,
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': service },
    },
    addressType: options.family === 6 ? 'IPv6' : 'IPv4',
    ports: [{ name: options.portName ?? '', port: options.port ?? 8080, protocol: options.protocol ?? 'TCP' }],
    endpoints: endpoints.map((endpoint) => ({
      addresses: [endpoint.ip],
      ...(endpoint.node === undefined ? {} : { nodeName: endpoint.node }),
      conditions: {
        ready: endpoint.ready ?? true,
        serving: endpoint.serving ?? endpoint.ready ?? true,
        terminating: endpoint.terminating ?? false,
      },
      ...(endpoint.forNodes || endpoint.forZones
        ? {
            hints: {
              ...(endpoint.forNodes ? { forNodes: endpoint.forNodes.map((name) => ({ name })) } : {}),
              ...(endpoint.forZones ? { forZones: endpoint.forZones.map((name) => ({ name })) } : {}),
            },
          }
        : {}),
    })),
  };
}
