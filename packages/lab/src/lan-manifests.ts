import type { KubeObject } from '@ballast/kube';
import { LAN } from './topology.ts';

const METALLB = { namespace: 'metallb-system' } as const;

/** An object as it stands in a manifest: fields beyond the metadata are the API server's to check. */
export type Manifest = KubeObject & Readonly<Record<string, unknown>>;

/**
 * What an administrator of the lab's site would apply: the addresses that LoadBalancer Services may take, announced by ARP to the LAN and by
 * BGP to the router, and the cluster's DNS for machines on the LAN.
 */
export function lanManifests(): Manifest[] {
  return [
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: { name: 'lan', ...METALLB },
      spec: { addresses: [LAN.pool] },
    },
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'L2Advertisement',
      metadata: { name: 'lan', ...METALLB },
      spec: { ipAddressPools: ['lan'] },
    },
    {
      apiVersion: 'metallb.io/v1beta2',
      kind: 'BGPPeer',
      metadata: { name: 'router', ...METALLB },
      spec: {
        myASN: LAN.nodeAsn,
        peerASN: LAN.routerAsn,
        peerAddress: LAN.router,
        holdTime: '3s',
        keepaliveTime: '1s',
        connectTime: '1s',
      },
    },
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'BGPAdvertisement',
      metadata: { name: 'lan', ...METALLB },
      spec: { ipAddressPools: ['lan'] },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'lan-dns', namespace: 'kube-system', annotations: { 'ballast.dev/endpoints': 'nodes' } },
      spec: {
        type: 'LoadBalancer',
        loadBalancerIP: LAN.dns,
        ports: [
          { name: 'dns', protocol: 'UDP', port: 53, targetPort: 10053 },
          { name: 'dns-tcp', protocol: 'TCP', port: 53, targetPort: 10053 },
        ],
      },
    },
  ];
}

export interface SampleApp {
  readonly name: string;
  readonly namespace: string;
  readonly manifests: readonly Manifest[];
}

/** A web server with three replicas behind a LoadBalancer Service; each answer says which pod on which node gave it. */
export function sampleApp(options: { image: string; replicas?: number; name?: string }): SampleApp {
  const { image, replicas = 3, name = 'hello' } = options;
  const namespace = 'default';
  const field = (variable: string, fieldPath: string) => ({ name: variable, valueFrom: { fieldRef: { fieldPath } } });
  const labels = { app: name };
  return {
    name,
    namespace,
    manifests: [
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name, namespace, labels },
        spec: {
          replicas,
          selector: { matchLabels: labels },
          strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
          template: {
            metadata: { labels },
            spec: {
              containers: [
                {
                  name,
                  image,
                  imagePullPolicy: 'IfNotPresent',
                  ports: [{ name: 'http', containerPort: 8080 }],
                  env: [
                    field('POD_NAME', 'metadata.name'),
                    field('POD_NAMESPACE', 'metadata.namespace'),
                    field('POD_IP', 'status.podIP'),
                    field('NODE_NAME', 'spec.nodeName'),
                  ],
                  readinessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 1 },
                  resources: { requests: { cpu: '10m', memory: '16Mi' } },
                },
              ],
            },
          },
        },
      },
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name, namespace, labels },
        spec: {
          type: 'LoadBalancer',
          selector: labels,
          ports: [{ name: 'http', port: 80, targetPort: 'http' }],
        },
      },
    ],
  };
}
