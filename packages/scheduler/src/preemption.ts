import { keyOf, type Pod } from '@ballast/kube';
import type { Cluster } from './cluster.ts';
import { prepareFilters, refusalOf, unavailableMessage } from './decide.ts';
import type { NodeInfo, PlacedPod } from './node-info.ts';

export interface Preemption {
  readonly node: string;
  readonly victims: readonly Pod[];
}

/** Nodes that are tried out at most: what is found among them is good enough. */
const MAX_CANDIDATES = 100;

/**
 * The node on which the least harm makes room for a pod: pods of lower priority go, as few and as unimportant ones as possible.
 * Undefined when that helps nowhere. Filters that look beyond one node (spreading, affinity) are judged as if the victims were still there.
 */
export function planPreemption(
  placed: PlacedPod,
  cluster: Cluster,
  candidates: readonly NodeInfo[],
): Preemption | undefined {
  if (placed.pod.spec?.preemptionPolicy === 'Never') return undefined;
  const filters = prepareFilters(placed, cluster);
  const fits = (node: NodeInfo) => refusalOf(node, filters) === undefined;
  let best: { readonly node: string; readonly victims: readonly PlacedPod[] } | undefined;
  for (const node of candidates.slice(0, MAX_CANDIDATES)) {
    const victims = victimsOn(node, placed, fits);
    if (victims && (!best || lessHarm(victims, best.victims))) best = { node: node.name, victims };
  }
  return best && { node: best.node, victims: best.victims.map(({ pod }) => pod) };
}

/** A former preemption is still under way: the victims on the nominated node take their grace period. */
export function isWaitingForVictims({ pod, priority }: PlacedPod, cluster: Cluster): boolean {
  const node = cluster.node(pod.status?.nominatedNodeName ?? '');
  if (!node) return false;
  return [...node.pods()].some(
    (other) => other.priority < priority && other.pod.metadata.deletionTimestamp !== undefined,
  );
}

/** What upstream adds to the reasons when preemption found nothing: ' preemption: 0/3 nodes are available: ...'. */
export function preemptionMessage(nodeCount: number, preemptibleCount: number): string {
  if (nodeCount === 0) return '';
  const reasons = new Map<string, number>();
  if (preemptibleCount > 0) reasons.set('No preemption victims found for incoming pod', preemptibleCount);
  const others = nodeCount - preemptibleCount;
  if (others > 0) reasons.set('Preemption is not helpful for scheduling', others);
  return ` preemption: ${unavailableMessage(nodeCount, reasons)}`;
}

/** All pods of lower priority leave a copy of the node; then, the most important first, those that still fit come back. */
function victimsOn(node: NodeInfo, placed: PlacedPod, fits: (node: NodeInfo) => boolean): PlacedPod[] | undefined {
  const lower = [...node.pods()].filter(({ priority }) => priority < placed.priority);
  if (lower.length === 0) return undefined;
  const trial = node.clone();
  for (const { pod } of lower) trial.remove(keyOf(pod));
  if (!fits(trial)) return undefined;
  const started = ({ pod }: PlacedPod) => pod.status?.startTime ?? '';
  const byImportance = lower.sort((a, b) => b.priority - a.priority || (started(a) < started(b) ? -1 : 1));
  return byImportance.filter((victim) => {
    const key = keyOf(victim.pod);
    trial.add(key, victim);
    if (fits(trial)) return false;
    trial.remove(key);
    return true;
  });
}

/** Lower highest priority, then lower sum of priorities, then fewer pods. */
function lessHarm(a: readonly PlacedPod[], b: readonly PlacedPod[]): boolean {
  const highest = (pods: readonly PlacedPod[]) => Math.max(...pods.map(({ priority }) => priority));
  // Shifted, so that priorities below zero do not make more victims look better.
  const sum = (pods: readonly PlacedPod[]) => pods.reduce((total, { priority }) => total + priority + 2 ** 31, 0);
  return highest(a) - highest(b) < 0 || (highest(a) === highest(b) && sum(a) < sum(b));
}
