import type { Node } from '@ballast/kube';

/** A route to the pods of another node. */
export interface PodRoute {
  readonly destination: string;
  readonly gateway: string;
}

/** Marks our routes in the kernel (the `proto` of ip-route(8)), so that only ours are ever removed. */
export const ROUTE_PROTOCOL = 86;

const isV6 = (address: string) => address.includes(':');

/** The pod ranges of a node. */
export function podCidrsOf(node: Node | undefined): readonly string[] {
  const all = node?.spec?.podCIDRs ?? [];
  if (all.length > 0) return all;
  return node?.spec?.podCIDR ? [node.spec.podCIDR] : [];
}

export function internalIps(node: Node): string[] {
  return (node.status?.addresses ?? []).flatMap(({ type, address }) => (type === 'InternalIP' ? [address] : []));
}

/** Routes to the pods of all nodes but this one, through the node's address of the same family. */
export function desiredRoutes(nodes: Iterable<Node>, ownName: string): PodRoute[] {
  const routes = new Map<string, PodRoute>();
  for (const node of nodes) {
    if (node.metadata.name === ownName) continue;
    const ips = internalIps(node);
    for (const destination of podCidrsOf(node)) {
      const gateway = ips.find((ip) => isV6(ip) === isV6(destination));
      if (gateway !== undefined) routes.set(destination, { destination, gateway });
    }
  }
  return [...routes.values()];
}

/** What has to change. A route whose gateway differs is put, which replaces it without a gap. */
export function planRoutes(
  current: readonly PodRoute[],
  desired: readonly PodRoute[],
): { readonly put: readonly PodRoute[]; readonly remove: readonly PodRoute[] } {
  const wanted = new Map(desired.map((route) => [route.destination, route]));
  const present = new Map(current.map((route) => [route.destination, route]));
  return {
    put: desired.filter((route) => present.get(route.destination)?.gateway !== route.gateway),
    remove: current.filter((route) => !wanted.has(route.destination)),
  };
}

/** Reads the output of `ip -json route show`. */
export function parseRoutes(json: string): PodRoute[] {
  if (json.trim() === '') return [];
  const entries = JSON.parse(json) as { dst?: unknown; gateway?: unknown }[];
  return entries.flatMap(({ dst, gateway }) =>
    typeof dst === 'string' && typeof gateway === 'string' ? [{ destination: dst, gateway }] : [],
  );
}
