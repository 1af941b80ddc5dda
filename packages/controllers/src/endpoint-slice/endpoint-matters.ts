import { isPodReady, isPodTerminal, type Node, type Pod } from '@ballast/kube';
import { isNodeReady } from './desired.ts';

/** Whether a change of a pod can change an endpoint. Most changes (probes, container states) cannot. */
export function podChangeMatters(before: Pod, after: Pod): boolean {
  return podFacts(before) !== podFacts(after);
}

function podFacts(pod: Pod): string {
  const { metadata, spec, status } = pod;
  return JSON.stringify([
    metadata.labels,
    metadata.deletionTimestamp !== undefined,
    spec?.nodeName,
    spec?.hostname,
    spec?.subdomain,
    isPodTerminal(pod),
    isPodReady(pod),
    status?.podIP,
    status?.podIPs,
  ]);
}

/** Whether a change of a node can change what Services with the nodes as endpoints hold. */
export function nodeChangeMatters(before: Node, after: Node): boolean {
  return nodeFacts(before) !== nodeFacts(after);
}

function nodeFacts(node: Node): string {
  return JSON.stringify([zoneOf(node), isNodeReady(node), node.status?.addresses, node.metadata.deletionTimestamp]);
}

export function zoneOf(node: Node): string | undefined {
  return node.metadata.labels?.['topology.kubernetes.io/zone'];
}
