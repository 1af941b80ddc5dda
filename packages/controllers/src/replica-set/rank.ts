import { isPodReady, type Pod, podCondition } from '@ballast/kube';

const PHASES: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };
const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

type Order = (a: Pod, b: Pod) => number;

const unassignedFirst: Order = (a, b) => Number(Boolean(a.spec?.nodeName)) - Number(Boolean(b.spec?.nodeName));
const byPhase: Order = (a, b) => phase(a) - phase(b);
const unreadyFirst: Order = (a, b) => Number(isPodReady(a)) - Number(isPodReady(b));
const cheapFirst: Order = (a, b) => cost(a) - cost(b);
const recentlyReadyFirst: Order = (a, b) =>
  isPodReady(a) && isPodReady(b) ? laterFirst(readySince(a), readySince(b)) : 0;
const restartedFirst: Order = (a, b) => restarts(b) - restarts(a);
const youngestFirst: Order = (a, b) =>
  laterFirst(Date.parse(a.metadata.creationTimestamp ?? ''), Date.parse(b.metadata.creationTimestamp ?? ''));
const byUid: Order = (a, b) => ((a.metadata.uid ?? '') < (b.metadata.uid ?? '') ? -1 : 1);

/**
 * Pods in the order in which a scale-down gives them up, as upstream's ActivePodsWithRanks. `related` are all active pods of the same
 * application (of its other ReplicaSets too): a pod whose node has more of them goes first.
 */
export function inDeletionOrder(pods: readonly Pod[], related: Iterable<Pod>): Pod[] {
  const perNode = new Map<string, number>();
  for (const pod of related) {
    const node = pod.spec?.nodeName;
    if (node) perNode.set(node, (perNode.get(node) ?? 0) + 1);
  }
  const crowd = (pod: Pod) => perNode.get(pod.spec?.nodeName ?? '') ?? 0;
  const crowdedFirst: Order = (a, b) => crowd(b) - crowd(a);
  const orders = [
    unassignedFirst,
    byPhase,
    unreadyFirst,
    cheapFirst,
    crowdedFirst,
    recentlyReadyFirst,
    restartedFirst,
    youngestFirst,
    byUid,
  ];
  return [...pods].sort((a, b) => {
    for (const order of orders) {
      const result = order(a, b);
      if (result !== 0) return result;
    }
    return 0;
  });
}

const phase = (pod: Pod): number => PHASES[pod.status?.phase ?? 'Pending'] ?? 0;

function cost(pod: Pod): number {
  const value = Number(pod.metadata.annotations?.[DELETION_COST] ?? 0);
  return Number.isInteger(value) ? value : 0;
}

function restarts(pod: Pod): number {
  return Math.max(0, ...(pod.status?.containerStatuses ?? []).map(({ restartCount }) => restartCount ?? 0));
}

const readySince = (pod: Pod): number => Date.parse(podCondition(pod, 'Ready')?.lastTransitionTime ?? '');

/**
 * The later time first; times that are equal, or absent, do not decide. (Upstream compares ages on a logarithmic scale, so that the
 * choice among old pods is random; here the exact age decides, which is the documented base behaviour.)
 */
function laterFirst(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
  return b - a;
}
