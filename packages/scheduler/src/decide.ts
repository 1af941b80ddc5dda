import type { Cluster } from './cluster.ts';
import type { NodeInfo, PlacedPod } from './node-info.ts';
import type { FilterPlugin, NodeFilter } from './plugin.ts';
import { FILTERS, SCORES } from './plugins/list.ts';

export type Decision =
  | { readonly kind: 'node'; readonly node: string }
  | {
      readonly kind: 'none';
      /** As in upstream's events: '0/3 nodes are available: 1 Insufficient cpu, ...'. */
      readonly message: string;
      /** Filters that refused a node: what they wake on may help. */
      readonly refusedBy: readonly FilterPlugin[];
      /** Nodes that were refused only for what removing pods can change. */
      readonly preemptible: readonly NodeInfo[];
    };

/** Below this number all nodes are looked at; above, as many feasible ones as are enough for a good choice. */
const ENOUGH_NODES = 100;

export interface DecideOptions {
  readonly placed: PlacedPod;
  readonly cluster: Cluster;
  /** Breaks ties, in [0, 1). */
  readonly random: () => number;
  /** Where in the order of nodes to begin: with many nodes, each decision begins where the last one stopped. */
  readonly startAt?: number;
}

/** Chooses the node for a pod. Reads the cluster and changes nothing. */
export function decide(options: DecideOptions): Decision {
  const { placed, cluster } = options;
  if (cluster.nodeCount === 0) {
    return { kind: 'none', message: 'no nodes available to schedule pods', refusedBy: [], preemptible: [] };
  }
  const filters = prepareFilters(placed, cluster);
  const feasible: NodeInfo[] = [];
  const reasons = new Map<string, number>();
  const refusedBy = new Set<FilterPlugin>();
  const preemptible: NodeInfo[] = [];
  const enough = enoughOf(cluster.nodeCount);
  for (const node of rotated(cluster, options.startAt ?? 0)) {
    const refusal = refusalOf(node, filters);
    if (!refusal) {
      feasible.push(node);
      if (feasible.length >= enough) break;
      continue;
    }
    refusedBy.add(refusal.plugin);
    if (refusal.plugin.preemptible) preemptible.push(node);
    for (const reason of refusal.reasons) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  if (feasible.length === 0) {
    const message = unavailableMessage(cluster.nodeCount, reasons);
    return { kind: 'none', message, refusedBy: [...refusedBy], preemptible };
  }
  return { kind: 'node', node: best(placed, cluster, feasible, options.random).name };
}

export type PreparedFilter = readonly [plugin: FilterPlugin, check: NodeFilter];

export function prepareFilters(placed: PlacedPod, cluster: Cluster): PreparedFilter[] {
  return FILTERS.flatMap((plugin): PreparedFilter[] => {
    const check = plugin.prepare(placed, cluster);
    return check ? [[plugin, check]] : [];
  });
}

/** The first filter that refuses the node, and why. */
export function refusalOf(node: NodeInfo, filters: readonly PreparedFilter[]) {
  for (const [plugin, check] of filters) {
    const reasons = check(node);
    if (reasons) return { plugin, reasons };
  }
  return undefined;
}

/** '0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable.' */
export function unavailableMessage(nodeCount: number, reasons: ReadonlyMap<string, number>): string {
  const texts = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${nodeCount} nodes are available: ${texts.join(', ')}.`;
}

/** Upstream's adaptive percentage: 50 % less 1 for each 125 nodes, at least 5 %, and never below 100 nodes. */
function enoughOf(nodeCount: number): number {
  if (nodeCount <= ENOUGH_NODES) return nodeCount;
  const percent = Math.max(5, 50 - nodeCount / 125);
  return Math.max(ENOUGH_NODES, Math.floor((nodeCount * percent) / 100));
}

function* rotated(cluster: Cluster, startAt: number): Iterable<NodeInfo> {
  const nodes = [...cluster.nodes()];
  const start = nodes.length > ENOUGH_NODES ? startAt % nodes.length : 0;
  yield* nodes.slice(start);
  yield* nodes.slice(0, start);
}

function best(placed: PlacedPod, cluster: Cluster, nodes: readonly NodeInfo[], random: () => number): NodeInfo {
  const totals = new Array<number>(nodes.length).fill(0);
  if (nodes.length > 1) {
    for (const plugin of SCORES) {
      const score = plugin.prepare(placed, cluster, nodes);
      if (!score) continue;
      const scaled = scale(nodes.map(score), plugin.scale);
      for (const [index, value] of scaled.entries()) totals[index] = (totals[index] ?? 0) + value * plugin.weight;
    }
  }
  let chosen = 0;
  let ties = 1;
  for (const [index, total] of totals.entries()) {
    if (index === 0) continue;
    const top = totals[chosen] ?? 0;
    if (total > top) {
      chosen = index;
      ties = 1;
    } else if (total === top) {
      ties++;
      // Reservoir sampling: each of the equals has the same chance.
      if (random() < 1 / ties) chosen = index;
    }
  }
  const node = nodes[chosen];
  if (!node) throw new Error('there is no node to choose from');
  return node;
}

/** Brings raw scores to 0..100. When all are equal they say nothing, and are 0. */
function scale(raw: readonly number[], how: 'as-is' | 'high' | 'low'): number[] {
  if (how === 'as-is') return [...raw];
  const least = Math.min(...raw);
  const range = Math.max(...raw) - least;
  if (range === 0) return raw.map(() => 0);
  return raw.map((value) => ((how === 'high' ? value - least : range - (value - least)) / range) * 100);
}
