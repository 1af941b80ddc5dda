import { canonicalIp, parseIp } from '@ballast/base';
import type { EndpointSlice, Service } from '@ballast/kube';
import type { Family } from './element.ts';
import { type Endpoint, type Place, type Selection, selectEndpoints } from './endpoint-selection.ts';
import type { Frontend, Protocol, SharedElement, Target, Unit } from './frontend.ts';
import { endpointsOf } from './slices.ts';
import { assignSlots } from './slots.ts';
import { allowedSources } from './source-ranges.ts';

/** What the proxy knows about the node it runs on. */
export interface NodeView extends Place {
  /** Addresses on which node ports answer; of any family. */
  readonly nodeAddresses: readonly string[];
  /** Families that the cluster has Services in. */
  readonly families: readonly Family[];
}

/** Services and slices that carry this label belong to another proxy. */
export const PROXY_NAME_LABEL = 'service.kubernetes.io/service-proxy-name';

const DEFAULT_AFFINITY_SECONDS = 10_800;

/** Ranks of claims to one address and port, strongest first. */
const RANK = { clusterIp: 0, nodePort: 1, loadBalancer: 2, externalIp: 3 } as const;

/** Slots of the same endpoints before a change, so that few elements move: from slotKey to slots. */
export type PreviousSlots = ReadonlyMap<string, readonly string[]>;

/** One Service as units, and the health check it asks for. */
export interface CompiledService {
  readonly units: readonly Unit[];
  /** Slots by list, family and port; feed them to the next compilation of this Service. */
  readonly slots: PreviousSlots;
  /** Under externalTrafficPolicy Local: where to answer, and how many distinct ready local endpoints there are. */
  readonly healthCheck: { readonly port: number; readonly localEndpoints: number } | undefined;
}

/** True for Services that packets are sent to: neither headless nor ExternalName nor another proxy's. */
export function isProxied(service: Service): boolean {
  const { spec, metadata } = service;
  if (!spec || spec.type === 'ExternalName' || metadata.labels?.[PROXY_NAME_LABEL] !== undefined) return false;
  return spec.clusterIP !== undefined && spec.clusterIP !== '' && spec.clusterIP !== 'None';
}

/** Everything that the kernel must know about one Service on this node. Pure. */
export function compileService(
  service: Service,
  slices: readonly EndpointSlice[],
  node: NodeView,
  previous: PreviousSlots = new Map(),
): CompiledService {
  const spec = service.spec ?? {};
  const owner = `${service.metadata.namespace ?? ''}/${service.metadata.name}`;
  const units: Unit[] = [];
  const shared = new Map<string, SharedElement>();
  const slots = new Map<string, readonly string[]>();
  const localReady = new Set<string>();
  const internalLocal = spec.internalTrafficPolicy === 'Local';
  const externalLocal = spec.externalTrafficPolicy === 'Local';
  const affinitySeconds =
    spec.sessionAffinity === 'ClientIP'
      ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? DEFAULT_AFFINITY_SECONDS)
      : undefined;

  for (const family of node.families) {
    const addresses = addressesOf(service, family, node);
    // A Service exists in the families that it has ClusterIPs of.
    if (addresses.clusterIps.length === 0) continue;
    for (const ip of addresses.clusterIps) share(shared, { owner, family, container: 'cluster-ips', element: ip });
    for (const ip of addresses.balancerIps)
      share(shared, { owner, family, container: 'load-balancer-ips', element: ip });
    for (const port of spec.ports ?? []) {
      const protocol = protocolOf(port.protocol);
      const portName = port.name ?? '';
      const nodeIps = port.nodePort ? addresses.nodeIps : [];
      const isExternal = nodeIps.length + addresses.balancerIps.length + addresses.externalIps.length > 0;
      const endpoints = endpointsOf(slices, { family, portName, protocol: protocol.toUpperCase() }, node);
      const selection = selectEndpoints(
        endpoints,
        { usesCluster: !internalLocal || isExternal, usesLocal: internalLocal || (externalLocal && isExternal) },
        node,
      );
      for (const endpoint of endpoints) if (endpoint.local && endpoint.ready) localReady.add(endpoint.address);
      for (const endpoint of [...selection.cluster, ...selection.local]) {
        if (!endpoint.local) continue;
        const element = `${endpoint.address} . ${endpoint.address}`;
        share(shared, { owner, family, container: 'hairpin', element });
      }
      const targetFor = (list: 'cluster' | 'local'): Target => {
        const slotKey = `${list} ${family} ${portName} ${protocol} ${port.port}`;
        const target = targetOf(selection, list, slots.get(slotKey) ?? previous.get(slotKey) ?? []);
        if (target.kind === 'endpoints') slots.set(slotKey, target.slots);
        return target;
      };
      const internal = targetFor(internalLocal ? 'local' : 'cluster');
      const anywhere = isExternal ? targetFor('cluster') : internal;
      const outside = isExternal && externalLocal ? targetFor('local') : undefined;
      const add = (address: string, claim: Pick<Frontend, 'port' | 'rank' | 'reach'> & Partial<Frontend>) => {
        units.push({
          kind: 'frontend',
          key: `${address} ${protocol} ${claim.port}`,
          owner,
          family,
          address,
          protocol,
          target: anywhere,
          targetIsLocal: false,
          outside,
          affinitySeconds,
          serving,
          sourceRanges: undefined,
          ...claim,
        });
      };
      const answering = endpoints.filter((endpoint) => (endpoint.serving || endpoint.ready) && !endpoint.lost);
      const serving = protocol === 'udp' ? new Set(answering.map(slotText)) : undefined;
      const reach = externalLocal ? 'external-local' : 'external-cluster';
      for (const ip of addresses.clusterIps) {
        const toLocal = { target: internal, targetIsLocal: internalLocal, outside: undefined };
        add(ip, { port: port.port, rank: RANK.clusterIp, reach: 'cluster', ...toLocal });
      }
      for (const ip of nodeIps) add(ip, { port: port.nodePort ?? 0, rank: RANK.nodePort, reach });
      for (const vip of addresses.balancerIps) {
        const options = { family, vip, nodeAddresses: node.nodeAddresses };
        const sourceRanges = allowedSources(spec.loadBalancerSourceRanges, options);
        add(vip, { port: port.port, rank: RANK.loadBalancer, reach, sourceRanges });
      }
      for (const ip of addresses.externalIps) add(ip, { port: port.port, rank: RANK.externalIp, reach });
    }
  }
  const asksHealth = spec.type === 'LoadBalancer' && externalLocal && (spec.healthCheckNodePort ?? 0) > 0;
  const healthCheck = asksHealth ? { port: spec.healthCheckNodePort ?? 0, localEndpoints: localReady.size } : undefined;
  // Frontends first: their addresses refuse all other ports.
  return { units: [...firstOfEachKey(units), ...shared.values()], slots, healthCheck };
}

interface Addresses {
  readonly clusterIps: readonly string[];
  readonly nodeIps: readonly string[];
  readonly balancerIps: readonly string[];
  readonly externalIps: readonly string[];
}

function addressesOf(service: Service, family: Family, node: NodeView): Addresses {
  const spec = service.spec ?? {};
  const ofFamily = (texts: readonly (string | undefined)[]) => {
    const canonical = texts.map((text) => canonicalIp(text ?? ''));
    return [...new Set(canonical)].filter((ip) => ip !== undefined && parseIp(ip)?.family === family) as string[];
  };
  const isBalancer = spec.type === 'LoadBalancer';
  const ingress = isBalancer ? (service.status?.loadBalancer?.ingress ?? []) : [];
  return {
    clusterIps: ofFamily([spec.clusterIP, ...(spec.clusterIPs ?? [])]),
    nodeIps: isBalancer || spec.type === 'NodePort' ? ofFamily(node.nodeAddresses) : [],
    // A balancer in ipMode Proxy must see the packets itself, also those from this node.
    balancerIps: ofFamily(ingress.filter((point) => (point.ipMode ?? 'VIP') === 'VIP').map((point) => point.ip)),
    externalIps: ofFamily(spec.externalIPs ?? []),
  };
}

function targetOf(selection: Selection, list: 'cluster' | 'local', previous: readonly string[]): Target {
  const endpoints = selection[list];
  if (endpoints.length > 0) return { kind: 'endpoints', slots: assignSlots(previous, endpoints.map(slotText)) };
  return selection.hasEndpoints && list === 'local' ? { kind: 'drop' } : { kind: 'refuse' };
}

function slotText(endpoint: Endpoint): string {
  return `${endpoint.address} . ${endpoint.port}`;
}

function protocolOf(text: string | undefined): Protocol {
  return text === 'UDP' ? 'udp' : text === 'SCTP' ? 'sctp' : 'tcp';
}

function share(shared: Map<string, SharedElement>, element: Omit<SharedElement, 'kind' | 'key' | 'rank'>): void {
  const key = `${element.container} ${element.element}`;
  if (!shared.has(key)) shared.set(key, { kind: 'shared', key, rank: 0, ...element });
}

/** A Service may name one address twice (as external IP and as balancer's); its strongest claim counts. */
function firstOfEachKey(units: readonly Unit[]): Unit[] {
  const found = new Map<string, Unit>();
  for (const unit of units) {
    const known = found.get(unit.key);
    if (!known || unit.rank < known.rank) found.set(unit.key, unit);
  }
  return [...found.values()];
}
