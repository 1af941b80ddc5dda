import { type Cidr, cidrOf, formatCidr } from '@ballast/base';
import type { Community, ExportRoute, LargeCommunity } from '@ballast/bgp';
import type { BgpAd, Configuration } from '../configuration/configuration.ts';
import { matchesAny } from '../configuration/selection.ts';
import type { NodeFacts, ServiceFacts, WithdrawReason } from './facts.ts';
import { poolOf } from './l2-election.ts';

/** One route that one Service wants one peer to know. */
export interface WantedRoute {
  readonly peer: string;
  readonly prefix: Cidr;
  readonly localPref: number;
  readonly communities: readonly Community[];
  readonly largeCommunities: readonly LargeCommunity[];
}

/**
 * The routes that this node announces for a Service. `peers` are the names of the peers that this node talks to. A node that is not Ready
 * withdraws as long as another one is: if the API server has lost sight of all, none does.
 */
export function routesOf(
  service: ServiceFacts,
  options: {
    readonly configuration: Configuration;
    readonly node: NodeFacts;
    readonly otherNodeIsReady: boolean;
    readonly peers: readonly string[];
  },
): readonly WantedRoute[] | { readonly why: WithdrawReason } {
  const { configuration, node, peers } = options;
  const pool = poolOf(service, configuration.pools);
  if (!pool) return { why: 'ipNotAllowed' };
  const ads = configuration.bgpAds.filter(
    (ad) =>
      ad.pools.has(pool.name) &&
      matchesAny(ad.serviceSelectors, service.labels) &&
      matchesAny(ad.nodeSelectors, node.labels),
  );
  if (ads.length === 0) return { why: 'noMatchingAdvertisement' };
  if (node.unfit) return { why: node.unfit };
  if (!node.ready && options.otherNodeIsReady) return { why: 'nodeNotReady' };
  if (!service.hasEndpoint) return { why: 'noEndpoints' };
  if (service.local && !service.endpointNodes.has(node.name)) return { why: 'noLocalEndpoints' };

  const routes = new Map<string, WantedRoute>();
  for (const ad of ads) {
    for (const peer of peers.filter((name) => ad.peers.length === 0 || ad.peers.includes(name))) {
      for (const ip of service.addresses) {
        const prefix = cidrOf(ip, ad.aggregationLength[ip.family]);
        const key = `${peer} ${formatCidr(prefix)}`;
        const known = routes.get(key);
        if (known && known.localPref !== ad.localPref) return { why: 'conflictingAdvertisements' };
        routes.set(key, merge(known, { peer, prefix, ...ad }));
      }
    }
  }
  return [...routes.values()];
}

/** Several advertisements of one prefix unite their communities. */
function merge(
  known: WantedRoute | undefined,
  added: Pick<BgpAd, 'localPref' | 'communities' | 'largeCommunities'> & { peer: string; prefix: Cidr },
): WantedRoute {
  return {
    peer: added.peer,
    prefix: added.prefix,
    localPref: Math.max(known?.localPref ?? 0, added.localPref),
    communities: [...(known?.communities ?? []), ...added.communities],
    largeCommunities: [...(known?.largeCommunities ?? []), ...added.largeCommunities],
  };
}

/** The routes of all Services as each peer shall see them: by peer, then by prefix. Aggregates stay while any Service wants them. */
export function mergeRoutes(wanted: Iterable<readonly WantedRoute[]>): Map<string, Map<string, ExportRoute>> {
  const byPeer = new Map<string, Map<string, WantedRoute>>();
  for (const routes of wanted) {
    for (const route of routes) {
      let prefixes = byPeer.get(route.peer);
      if (!prefixes) {
        prefixes = new Map();
        byPeer.set(route.peer, prefixes);
      }
      const key = formatCidr(route.prefix);
      prefixes.set(key, merge(prefixes.get(key), route));
    }
  }
  return new Map(
    Array.from(byPeer, ([peer, prefixes]) => [
      peer,
      new Map(Array.from(prefixes, ([key, route]) => [key, exportOf(route)])),
    ]),
  );
}

function exportOf(route: WantedRoute): ExportRoute {
  return {
    prefix: route.prefix,
    ...(route.localPref === 0 ? {} : { localPref: route.localPref }),
    communities: [...new Set(route.communities)].sort((a, b) => a - b),
    largeCommunities: [...new Map(route.largeCommunities.map((value) => [JSON.stringify(value), value])).values()],
  };
}
