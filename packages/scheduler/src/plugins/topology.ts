import type { NodeInfo } from '../node-info.ts';
import type { CountByNode } from '../pod-counts.ts';

export const HOSTNAME = 'kubernetes.io/hostname';
export const ZONE = 'topology.kubernetes.io/zone';

/** The domain of a node; the node itself is the domain of hostname even when the label is missing. */
export function domainOf(node: NodeInfo, topologyKey: string): string | undefined {
  return node.labels[topologyKey] ?? (topologyKey === HOSTNAME ? node.name : undefined);
}

/** Counts of nodes summed up over their domains; every domain of `nodes` is there, with 0 if need be. */
export function countByDomain(
  nodes: Iterable<NodeInfo>,
  topologyKey: string,
  counts: CountByNode,
): Map<string, number> {
  const sums = new Map<string, number>();
  for (const node of nodes) {
    const domain = domainOf(node, topologyKey);
    if (domain !== undefined) sums.set(domain, (sums.get(domain) ?? 0) + (counts.get(node.name) ?? 0));
  }
  return sums;
}
