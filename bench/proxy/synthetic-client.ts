import type { EndpointSlice, KubeClient, KubeList, KubeObject, Resource, Service, WatchEvent } from '@ballast/kube';
import { ApiError, ENDPOINT_SLICES, SERVICES } from '@ballast/kube';

/** Addresses counted from `first`. */
function addressAt(first: number, offset: number): string {
  const value = first + offset;
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

const CLUSTER_IPS = 0x0a2b_0001;
const POD_IPS = 0x0a2a_0001;

/** A ClusterIP Service with one TCP port, as an API server shows it. */
export function syntheticService(index: number): Service {
  const name = `service-${index}`;
  const clusterIP = addressAt(CLUSTER_IPS, index);
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      namespace: `namespace-${index % 100}`,
      uid: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
      resourceVersion: String(index + 1),
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: {
      type: 'ClusterIP',
      clusterIP,
      clusterIPs: [clusterIP],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      internalTrafficPolicy: 'Cluster',
      sessionAffinity: 'None',
      selector: { app: name },
      ports: [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 8080 }],
    },
    status: { loadBalancer: {} },
  };
}

/** Its EndpointSlice. `generation` changes the last endpoint. */
export function syntheticSlice(index: number, endpoints: number, generation = 0): EndpointSlice {
  const service = syntheticService(index);
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${service.metadata.name}-x7k2p`,
      namespace: service.metadata.namespace ?? '',
      uid: `00000000-0000-4000-9000-${String(index).padStart(12, '0')}`,
      resourceVersion: `${index + 1}${generation === 0 ? '' : `.${generation}`}`,
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: {
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
        'kubernetes.io/service-name': service.metadata.name,
      },
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
    endpoints: Array.from({ length: endpoints }, (_, i) => ({
      addresses: [addressAt(POD_IPS, (index * endpoints + i + (i === endpoints - 1 ? generation * 7919 : 0)) % 0xfff0)],
      nodeName: `node-${i}`,
      conditions: { ready: true, serving: true, terminating: false },
      targetRef: { kind: 'Pod', namespace: service.metadata.namespace ?? '', name: `${service.metadata.name}-${i}` },
    })),
  };
}

/** An API server that holds so many Services, and to which changes can be made. It keeps no copies of what it hands out. */
export class SyntheticClient implements KubeClient {
  readonly #services: number;
  readonly #endpoints: number;
  readonly #watchers = new Map<string, (event: WatchEvent<KubeObject>) => void>();

  constructor(options: { readonly services: number; readonly endpoints: number }) {
    this.#services = options.services;
    this.#endpoints = options.endpoints;
  }

  emit(resource: Resource, event: WatchEvent<KubeObject>): void {
    this.#watchers.get(resource.plural)?.(event);
  }

  async list<T extends KubeObject>(resource: Resource<T>): Promise<KubeList<T>> {
    const make = (index: number): KubeObject =>
      resource.plural === SERVICES.plural ? syntheticService(index) : syntheticSlice(index, this.#endpoints);
    const isKnown = resource.plural === SERVICES.plural || resource.plural === ENDPOINT_SLICES.plural;
    const items = Array.from({ length: isKnown ? this.#services : 0 }, (_, index) => make(index)) as T[];
    return { metadata: { resourceVersion: '1' }, items };
  }

  async *watch<T extends KubeObject>(
    resource: Resource<T>,
    { signal }: { readonly signal: AbortSignal },
  ): AsyncGenerator<WatchEvent<T>> {
    const queue: WatchEvent<T>[] = [];
    let wake = () => {};
    this.#watchers.set(resource.plural, (event) => {
      queue.push(event as WatchEvent<T>);
      wake();
    });
    signal.addEventListener('abort', () => wake(), { once: true });
    while (!signal.aborted) {
      yield* queue.splice(0);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  get = refuse;
  find = refuse;
  read = refuse;
  create = refuse;
  update = refuse;
  patch = refuse;
  delete = refuse;
  post = refuse;
}

async function refuse(): Promise<never> {
  throw new ApiError('MethodNotAllowed', 'the synthetic API server only lists and watches');
}
