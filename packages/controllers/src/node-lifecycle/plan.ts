import type { Node, Taint } from '@ballast/kube';
import { timeOf } from '../conditions.ts';
import { type NodeStatusList, sameTaints, taintsFor } from './taints.ts';

/** Conditions that the node's agent reports and that become Unknown when it falls silent. */
const REPORTED = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const;

const SILENT = { reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.' };
const NEVER_HEARD = { reason: 'NodeStatusNeverUpdated', message: 'Kubelet never posted node status.' };

export interface NodeChange {
  readonly node: Node;
  /** All conditions of the node, when some change. */
  readonly conditions: NodeStatusList | undefined;
  readonly taints: readonly Taint[] | undefined;
  /**
   * Its pods must leave their Services: 'always' while the node is silent; 'once' when it says itself that it is not ready, since its
   * agent then goes on reporting what it knows of the pods.
   */
  readonly losesPods: 'always' | 'once' | 'no';
  /** Its NoExecute taint is new, and used up one eviction of the zone. */
  readonly startsEviction: boolean;
}

/** Says whether one more node of a zone may lose its pods now; see EvictionBudget. */
export type MayEvict = (zone: string) => boolean;

/**
 * What has to change about the nodes after `silentMs` of silence each.
 *
 * The brake: when no node is ready, more likely the control plane is cut off than every machine dead. Then nodes are still shown as
 * Unknown, but no pod is evicted and none leaves its Service.
 */
export function planNodes(options: {
  readonly nodes: Iterable<Node>;
  readonly silentMs: (name: string) => number;
  readonly gracePeriodMs: number;
  readonly nowMs: number;
  readonly mayEvict: MayEvict;
}): NodeChange[] {
  const { gracePeriodMs, nowMs } = options;
  const assessed = [...options.nodes]
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map((node) => {
      const silent = options.silentMs(node.metadata.name) > gracePeriodMs;
      return { node, conditions: silent ? unknownConditions(node, nowMs) : (node.status?.conditions ?? []) };
    });
  const brake = assessed.every(({ conditions }) => readyOf(conditions) !== 'True');
  const changes: NodeChange[] = [];
  for (const { node, conditions } of assessed) {
    const ready = readyOf(conditions);
    const before = readyOf(node.status?.conditions ?? []);
    const evicting = node.spec?.taints?.some(isEvicting) ?? false;
    const wantsEviction = ready !== undefined && ready !== 'True';
    const granted = wantsEviction && !evicting && !brake && options.mayEvict(zoneOf(node));
    const evict = brake ? 'never' : granted ? 'now' : 'not-yet';
    const taints = taintsFor({ node, conditions, evict, now: timeOf(nowMs) });
    const changed = conditions !== node.status?.conditions && before !== ready;
    const change: NodeChange = {
      node,
      conditions: changed ? conditions : undefined,
      taints: sameTaints(taints, node.spec?.taints ?? []) ? undefined : taints,
      losesPods: !wantsEviction || brake ? 'no' : ready === 'Unknown' ? 'always' : 'once',
      startsEviction: granted,
    };
    if (change.conditions || change.taints || change.losesPods !== 'no') changes.push(change);
  }
  return changes;
}

export function zoneOf(node: Node): string {
  const labels = node.metadata.labels ?? {};
  return `${labels['topology.kubernetes.io/region'] ?? ''}/${labels['topology.kubernetes.io/zone'] ?? ''}`;
}

function readyOf(conditions: NodeStatusList): string | undefined {
  return conditions.find(({ type }) => type === 'Ready')?.status;
}

function isEvicting({ key, effect }: Taint): boolean {
  return effect === 'NoExecute' && (key === 'node.kubernetes.io/not-ready' || key === 'node.kubernetes.io/unreachable');
}

function unknownConditions(node: Node, nowMs: number): NodeStatusList {
  const current = node.status?.conditions ?? [];
  const now = timeOf(nowMs);
  const result = current.map((condition) => {
    const reported = REPORTED.some((type) => type === condition.type);
    if (!reported || condition.status === 'Unknown') return condition;
    return { ...condition, status: 'Unknown' as const, ...SILENT, lastTransitionTime: now };
  });
  for (const type of REPORTED) {
    if (current.some((condition) => condition.type === type)) continue;
    result.push({ type, status: 'Unknown', ...NEVER_HEARD, lastHeartbeatTime: now, lastTransitionTime: now });
  }
  return result;
}
