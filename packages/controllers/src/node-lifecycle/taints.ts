import type { Node, Taint } from '@ballast/kube';

export const NOT_READY = 'node.kubernetes.io/not-ready';
export const UNREACHABLE = 'node.kubernetes.io/unreachable';

/** Conditions that keep new pods away while they have this status. */
const PRESSURES: readonly (readonly [condition: string, status: string, taint: string])[] = [
  ['Ready', 'False', NOT_READY],
  ['Ready', 'Unknown', UNREACHABLE],
  ['MemoryPressure', 'True', 'node.kubernetes.io/memory-pressure'],
  ['DiskPressure', 'True', 'node.kubernetes.io/disk-pressure'],
  ['PIDPressure', 'True', 'node.kubernetes.io/pid-pressure'],
  ['NetworkUnavailable', 'True', 'node.kubernetes.io/network-unavailable'],
];

const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable';
const OURS: ReadonlySet<string> = new Set([...PRESSURES.map(([, , taint]) => taint), UNSCHEDULABLE]);

export type NodeStatusList = NonNullable<NonNullable<Node['status']>['conditions']>;

/**
 * The taints that a node should have: the foreign ones as they are, NoSchedule as the conditions say, and NoExecute for a node that is
 * not ready, if `evict` allows it (a taint that is there already stays as long as its reason does, unless `evict` is 'never').
 */
export function taintsFor(options: {
  readonly node: Node;
  readonly conditions: NodeStatusList;
  readonly evict: 'now' | 'not-yet' | 'never';
  readonly now: string;
}): Taint[] {
  const { node, conditions, evict } = options;
  const current = node.spec?.taints ?? [];
  const find = (key: string, effect: string) => current.find((taint) => taint.key === key && taint.effect === effect);
  const foreign = current.filter(({ key, effect }) => !OURS.has(key) || effect === 'PreferNoSchedule');
  const wanted: Taint[] = [];
  const add = (key: string, effect: 'NoSchedule' | 'NoExecute') =>
    wanted.push(find(key, effect) ?? { key, effect, timeAdded: options.now });
  const statusOf = (type: string) => conditions.find((condition) => condition.type === type)?.status;
  const ready = statusOf('Ready');
  for (const [condition, status, key] of PRESSURES) if (statusOf(condition) === status) add(key, 'NoSchedule');
  // A node that has never said anything is not ready for pods yet.
  if (ready === undefined) add(NOT_READY, 'NoSchedule');
  if (node.spec?.unschedulable) add(UNSCHEDULABLE, 'NoSchedule');
  const reason = ready === 'False' ? NOT_READY : ready === 'Unknown' ? UNREACHABLE : undefined;
  if (reason !== undefined && evict !== 'never') {
    const evicting = find(NOT_READY, 'NoExecute') ?? find(UNREACHABLE, 'NoExecute');
    // When the reason changes, the time since which pods have tolerated it does not start anew.
    if (evicting) wanted.push({ ...evicting, key: reason });
    else if (evict === 'now') add(reason, 'NoExecute');
  }
  return [...foreign, ...wanted];
}

/** True when the taint lists say the same, in whatever order. */
export function sameTaints(a: readonly Taint[], b: readonly Taint[]): boolean {
  const text = (taint: Taint) => `${taint.key} ${taint.value ?? ''} ${taint.effect}`;
  const left = a.map(text).sort();
  const right = b.map(text).sort();
  return left.length === right.length && left.every((value, index) => value === right[index]);
}
