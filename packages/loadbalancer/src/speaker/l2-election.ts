import { formatIp } from '@ballast/base';
import { matchesLabelSelector } from '@ballast/kube';
import { poolContains } from '../allocation/pool-addresses.ts';
import type { Configuration, L2Ad, Pool } from '../configuration/configuration.ts';
import { matchesAny } from '../configuration/selection.ts';
import type { NodeFacts, ServiceFacts, WithdrawReason } from './facts.ts';

/** Who announces a Service on the LAN: the first candidate that is present. */
export interface L2Ranking {
  readonly candidates: readonly string[];
  /** Interfaces of the given node; empty means all. */
  readonly interfaces: readonly string[];
}

/** The pool that holds all addresses of a Service. */
export function poolOf(service: ServiceFacts, pools: readonly Pool[]): Pool | undefined {
  return pools.find((pool) => service.addresses.every((ip) => poolContains(pool, ip)));
}

/**
 * Orders the nodes that may announce a Service, best first. A pure function that every speaker computes for itself: by summed preference,
 * then by a hash of node and address, so that each node owns its share and all agree. Nodes that are not Ready come after those that are
 * (MetalLB does not look), rather than not at all, so that an API server that has lost sight of every node stops nothing.
 */
export function rankL2(
  service: ServiceFacts,
  options: { readonly configuration: Configuration; readonly nodes: readonly NodeFacts[]; readonly self: string },
): L2Ranking | { readonly why: WithdrawReason } {
  const { configuration, nodes, self } = options;
  const pool = poolOf(service, configuration.pools);
  const first = service.addresses[0];
  if (!pool || !first) return { why: 'ipNotAllowed' };
  if (!service.hasEndpoint) return { why: 'noEndpoints' };
  const poolAds = configuration.l2Ads.filter((ad) => ad.pools.has(pool.name));
  if (service.shared && poolAds.some((ad) => ad.serviceSelectors.length > 0))
    return { why: 'sharedIPWithServiceSelector' };
  const ads = poolAds.filter((ad) => matchesAny(ad.serviceSelectors, service.labels));
  if (ads.length === 0) return { why: 'noMatchingAdvertisement' };

  const covered = nodes.filter((node) => ads.some((ad) => matchesAny(ad.nodeSelectors, node.labels)));
  if (covered.length === 0) return { why: 'noMatchingAdvertisement' };
  const fit = covered.filter((node) => node.unfit === undefined);
  if (fit.length === 0) return { why: covered[0]?.unfit ?? 'nodeNetworkUnavailable' };
  const usable = service.local ? fit.filter((node) => service.endpointNodes.has(node.name)) : fit;
  if (usable.length === 0) return { why: 'noLocalEndpoints' };

  const address = formatIp(first);
  const ranked = usable
    .map((node) => ({ node, preference: preferenceOf(node, ads), hash: hashOf(node.name, address) }))
    .sort(
      (a, b) =>
        Number(b.node.ready) - Number(a.node.ready) ||
        b.preference - a.preference ||
        a.hash - b.hash ||
        (a.node.name < b.node.name ? -1 : 1),
    );
  const own = nodes.find((node) => node.name === self);
  return { candidates: ranked.map(({ node }) => node.name), interfaces: own ? interfacesOn(own, ads) : [] };
}

function preferenceOf(node: NodeFacts, ads: readonly L2Ad[]): number {
  let sum = 0;
  for (const { preferences } of ads) {
    for (const { weight, selector } of preferences) if (matchesLabelSelector(selector, node.labels)) sum += weight;
  }
  return sum;
}

function interfacesOn(node: NodeFacts, ads: readonly L2Ad[]): string[] {
  const names = new Set<string>();
  for (const ad of ads) {
    if (!matchesAny(ad.nodeSelectors, node.labels)) continue;
    if (ad.interfaces.length === 0) return [];
    for (const name of ad.interfaces) names.add(name);
  }
  return [...names].sort();
}

/**
 * Spreads addresses over nodes: FNV-1a with the finaliser of MurmurHash3. Departs from MetalLB, which takes SHA-256, because a hundred
 * nodes and ten thousand Services are a million hashes; nobody but our own speakers needs to come to the same order.
 */
function hashOf(node: string, address: string): number {
  let hash = 0x811c9dc5;
  for (const text of [node, '#', address]) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
