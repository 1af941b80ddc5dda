import { stringify } from 'yaml';

/** A Deployment of the sample app that is made for updates without a failed request, as its users would write it. */
export function helloDeployment(options: { name: string; replicas: number; version?: number }): object {
  const { name, replicas, version = 1 } = options;
  const from = (path: string) => ({ valueFrom: { fieldRef: { fieldPath: path } } });
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels: { app: name } },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          containers: [
            {
              name: 'hello',
              image: `registry.ballast.dev/hello:${version}`,
              ports: [{ name: 'http', containerPort: 8080 }],
              env: [
                { name: 'POD_NAME', ...from('metadata.name') },
                { name: 'POD_NAMESPACE', ...from('metadata.namespace') },
                { name: 'POD_IP', ...from('status.podIP') },
                { name: 'NODE_NAME', ...from('spec.nodeName') },
              ],
              readinessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 1 },
            },
          ],
        },
      },
    },
  };
}

export function helloService(options: {
  name: string;
  app: string;
  spec?: object;
  annotations?: Record<string, string>;
}): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: options.name, ...(options.annotations ? { annotations: options.annotations } : {}) },
    spec: { selector: { app: options.app }, ports: [{ name: 'http', port: 80, targetPort: 'http' }], ...options.spec },
  };
}

const METALLB = { apiVersion: 'metallb.io/v1beta1', metadata: { namespace: 'metallb-system' } };

/** Pools and announcements: one pool on the LAN (ARP and BGP), one that only BGP leads to. */
export const addressObjects: readonly object[] = [
  {
    ...METALLB,
    kind: 'IPAddressPool',
    metadata: { ...METALLB.metadata, name: 'lan' },
    spec: { addresses: ['192.0.2.200-192.0.2.250'] },
  },
  {
    ...METALLB,
    kind: 'IPAddressPool',
    metadata: { ...METALLB.metadata, name: 'routed' },
    spec: { addresses: ['198.51.100.0/24'], autoAssign: false },
  },
  {
    ...METALLB,
    kind: 'L2Advertisement',
    metadata: { ...METALLB.metadata, name: 'lan' },
    spec: { ipAddressPools: ['lan'] },
  },
  {
    ...METALLB,
    kind: 'BGPAdvertisement',
    metadata: { ...METALLB.metadata, name: 'all' },
    spec: { ipAddressPools: ['lan', 'routed'] },
  },
  {
    ...METALLB,
    apiVersion: 'metallb.io/v1beta2',
    kind: 'BGPPeer',
    metadata: { ...METALLB.metadata, name: 'router' },
    spec: { myASN: 64513, peerASN: 64512, peerAddress: '192.0.2.1', holdTime: '3s' },
  },
];

export function yamlOf(...objects: readonly object[]): string {
  return objects.map((object) => stringify(object, { lineWidth: 0 })).join('---\n');
}
