import { isIPv4, isIPv6 } from 'node:net';
import { parseIp } from '@ballast/base';
import {
  type Endpoint,
  type EndpointPort,
  isPodReady,
  isPodTerminal,
  type Node,
  type Pod,
  type Service,
} from '@ballast/kube';
import { canonicalJson } from '../same.ts';
import { endpointPorts, targetPortOf } from './ports.ts';

export type AddressType = 'IPv4' | 'IPv6';

/** Endpoints that share address type and port numbers, and so may share slices. */
export interface EndpointGroup {
  readonly addressType: AddressType;
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

const ZONE_LABEL = 'topology.kubernetes.io/zone';

/** Finds a node by name; undefined when it is not known (yet). */
export type NodeLookup = (name: string) => Node | undefined;

/** The address types of a Service's slices: its IP families, IPv4 when it has none yet. */
export function addressTypesOf(service: Service): AddressType[] {
  const families = service.spec?.ipFamilies ?? [];
  if (families.length > 0) return families.map((family) => (family === 'IPv6' ? 'IPv6' : 'IPv4'));
  return [parseIp(service.spec?.clusterIP ?? '')?.family === 6 ? 'IPv6' : 'IPv4'];
}

/** What one pod adds to the groups of one Service. */
interface Contribution {
  readonly service: Service;
  readonly zone: string | undefined;
  readonly entries: readonly GroupEntry[];
}

interface GroupEntry {
  readonly key: string;
  readonly addressType: AddressType;
  readonly ports: readonly EndpointPort[];
  readonly endpoint: Endpoint;
}

/**
 * Contributions by pod object. Objects of informers never change, a new state is a new object: of the pods of a large Service, only
 * the one that has changed is looked at anew.
 */
const contributions = new WeakMap<Pod, Contribution[]>();

/** What the slices of a Service should hold for these pods. Pods that have finished, or have no address yet, are no endpoints. */
export function podEndpoints(service: Service, pods: Iterable<Pod>, nodes: NodeLookup): EndpointGroup[] {
  const groups = new Groups();
  for (const pod of pods) {
    const zone = pod.spec?.nodeName ? nodes(pod.spec.nodeName)?.metadata.labels?.[ZONE_LABEL] : undefined;
    const known = contributions.get(pod) ?? [];
    let contribution = known.find((candidate) => candidate.service === service && candidate.zone === zone);
    if (!contribution) {
      contribution = { service, zone, entries: podEntries(service, pod, zone) };
      const others = known.filter((candidate) => candidate.service.metadata.name !== service.metadata.name);
      contributions.set(pod, [...others, contribution]);
    }
    for (const entry of contribution.entries) groups.add(entry);
  }
  return groups.list();
}

function podEntries(service: Service, pod: Pod, zone: string | undefined): GroupEntry[] {
  if (isPodTerminal(pod)) return [];
  const ports = endpointPorts(service, (port) => targetPortOf(port, pod));
  const wantsPorts = (service.spec?.ports?.length ?? 0) > 0;
  if (wantsPorts && ports.length === 0) return [];
  return addressTypesOf(service).flatMap((addressType) => {
    const address = podAddress(pod, addressType);
    if (!address) return [];
    return [groupEntry(addressType, ports, podEndpoint(service, pod, address, zone))];
  });
}

function groupEntry(addressType: AddressType, ports: readonly EndpointPort[], endpoint: Endpoint): GroupEntry {
  return { key: groupKey(addressType, ports), addressType, ports, endpoint };
}

function podEndpoint(service: Service, pod: Pod, address: string, zone: string | undefined): Endpoint {
  const { hostname, subdomain, nodeName } = pod.spec ?? {};
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const serving = isPodReady(pod);
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  return {
    addresses: [address],
    conditions: { ready, serving, terminating },
    ...(hostname && subdomain === service.metadata.name ? { hostname } : {}),
    ...(nodeName ? { nodeName } : {}),
    ...(zone ? { zone } : {}),
    targetRef: {
      kind: 'Pod',
      name: pod.metadata.name,
      namespace: pod.metadata.namespace ?? '',
      uid: pod.metadata.uid ?? '',
    },
  };
}

/** The InternalIPs of nodes as endpoints: ready nodes, or all of them when none is, since an outdated answer is better than none. */
export function nodeEndpoints(service: Service, nodes: Iterable<Node>): EndpointGroup[] {
  const groups = new Groups();
  const known = [...nodes].filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const ready = known.filter(isNodeReady);
  for (const node of ready.length > 0 ? ready : known) {
    const ports = endpointPorts(service, ({ targetPort, port }) => Number(targetPort ?? 0) || port);
    const zone = node.metadata.labels?.[ZONE_LABEL];
    for (const addressType of addressTypesOf(service)) {
      const address = nodeAddress(node, addressType);
      if (!address) continue;
      const endpoint = {
        addresses: [address],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: node.metadata.name,
        ...(zone ? { zone } : {}),
        targetRef: { kind: 'Node', name: node.metadata.name, uid: node.metadata.uid ?? '' },
      };
      groups.add(groupEntry(addressType, ports, endpoint));
    }
  }
  return groups.list();
}

export function isNodeReady(node: Node): boolean {
  return node.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
}

function podAddress(pod: Pod, type: AddressType): string | undefined {
  const all = pod.status?.podIPs?.map(({ ip }) => ip) ?? [];
  const addresses = all.length > 0 ? all : [pod.status?.podIP];
  return addresses.find((address) => isOfType(address, type));
}

function nodeAddress(node: Node, type: AddressType): string | undefined {
  return node.status?.addresses?.find((entry) => entry.type === 'InternalIP' && isOfType(entry.address, type))?.address;
}

function isOfType(address: string | undefined, type: AddressType): address is string {
  return address !== undefined && (type === 'IPv6' ? isIPv6(address) : isIPv4(address));
}

class Groups {
  readonly #groups = new Map<
    string,
    { addressType: AddressType; ports: readonly EndpointPort[]; endpoints: Endpoint[] }
  >();

  add({ key, addressType, ports, endpoint }: GroupEntry): void {
    const group = this.#groups.get(key);
    if (group) group.endpoints.push(endpoint);
    else this.#groups.set(key, { addressType, ports, endpoints: [endpoint] });
  }

  list(): EndpointGroup[] {
    return [...this.#groups.values()];
  }
}

/** Equal for equal address types and ports, whatever the order of the ports. */
export function groupKey(addressType: string, ports: readonly EndpointPort[] | undefined): string {
  const texts = (ports ?? []).map((port) =>
    canonicalJson({ ...port, name: port.name ?? '', protocol: port.protocol ?? 'TCP' }),
  );
  return `${addressType} ${texts.sort().join(' ')}`;
}
