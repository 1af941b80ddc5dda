import {
  availableInMs,
  type DaemonSet,
  type DaemonSetStatus,
  isPodReady,
  isPodTerminal,
  type Node,
  type Pod,
} from '@ballast/kube';
import { nodeOf, placementOn } from './placement.ts';

export const REVISION_HASH_LABEL = 'controller-revision-hash';

export interface DaemonSetState {
  readonly daemonSet: DaemonSet;
  readonly nodes: readonly Node[];
  /** All pods of the DaemonSet, terminating ones too. */
  readonly pods: readonly Pod[];
  /** Hash of the current template; pods carry it as a label. */
  readonly hash: string;
  readonly nowMs: number;
}

export interface DaemonSetPlan {
  /** Names of nodes that get a pod. */
  readonly create: readonly string[];
  readonly remove: readonly Pod[];
  readonly status: DaemonSetStatus;
  readonly lookAgainMs: number | undefined;
}

interface NodePods {
  readonly run: boolean;
  readonly stay: boolean;
  /** Oldest first, those that run on the node before those that wait for it. */
  readonly pods: readonly Pod[];
}

/** Which nodes get a pod and which pods go, also for a rolling update. */
export function planDaemonSet(state: DaemonSetState): DaemonSetPlan {
  const { daemonSet } = state;
  const onNodes = podsByNode(state);
  const create: string[] = [];
  const remove = new Set<Pod>();
  const surge = maxSurgeOf(daemonSet, onNodes);
  for (const [name, { run, stay, pods }] of onNodes) {
    const alive = pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    // A finished daemon is replaced, but only when it has gone: two at a time would fight for ports and files.
    const finished = alive.filter(isPodTerminal);
    const working = alive.filter((pod) => !isPodTerminal(pod));
    if (!stay) {
      for (const pod of alive) remove.add(pod);
      continue;
    }
    for (const pod of finished) remove.add(pod);
    if (run && pods.every(isPodTerminal) && finished.length === 0) create.push(name);
    if (surge === 0) for (const pod of working.slice(1)) remove.add(pod);
  }
  if (daemonSet.metadata.deletionTimestamp === undefined && daemonSet.spec?.updateStrategy?.type !== 'OnDelete') {
    if (surge > 0) planSurge(state, onNodes, surge, create, remove);
    else planReplacement(state, onNodes, remove);
  }
  const leaving = daemonSet.metadata.deletionTimestamp !== undefined;
  return { create: leaving ? [] : create, remove: leaving ? [] : [...remove], ...statusOf(state, onNodes) };
}

function podsByNode({ daemonSet, nodes, pods }: DaemonSetState): Map<string, NodePods> {
  const byNode = new Map<string, Pod[]>();
  for (const pod of pods) {
    const name = nodeOf(pod);
    if (name === undefined) continue;
    const list = byNode.get(name);
    if (list) list.push(pod);
    else byNode.set(name, [pod]);
  }
  const order = (a: Pod, b: Pod) =>
    Number(!a.spec?.nodeName) - Number(!b.spec?.nodeName) ||
    ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1);
  // Pods of nodes that do not exist any more are for the pod garbage collector.
  return new Map(
    nodes.map((node) => {
      const { name } = node.metadata;
      return [name, { ...placementOn(daemonSet, node), pods: (byNode.get(name) ?? []).sort(order) }];
    }),
  );
}

/** Old pods make way, as many at a time as may be unavailable; those that do not work anyway at once. */
function planReplacement(state: DaemonSetState, onNodes: ReadonlyMap<string, NodePods>, remove: Set<Pod>): void {
  const wanted = [...onNodes.values()].filter(({ run }) => run);
  const allowed = maxUnavailableOf(state.daemonSet, wanted.length);
  let unavailable = 0;
  const candidates: Pod[] = [];
  for (const { pods } of wanted) {
    const pod = pods.find((candidate) => isAlive(candidate) && !remove.has(candidate));
    if (!pod) {
      unavailable++;
    } else if (!isAvailable(state, pod)) {
      unavailable++;
      if (!isCurrent(state, pod)) remove.add(pod);
    } else if (!isCurrent(state, pod)) {
      candidates.push(pod);
    }
  }
  for (const pod of candidates.slice(0, Math.max(0, allowed - unavailable))) remove.add(pod);
}

/** A new pod comes up beside the old one, on `surge` nodes at a time; the old one goes when the new one is available. */
function planSurge(
  state: DaemonSetState,
  onNodes: ReadonlyMap<string, NodePods>,
  surge: number,
  create: string[],
  remove: Set<Pod>,
): void {
  let doubled = 0;
  const candidates: string[] = [];
  for (const [name, { run, pods }] of onNodes) {
    if (!run) continue;
    const alive = pods.filter((pod) => isAlive(pod) && !remove.has(pod));
    const current = alive.filter((pod) => isCurrent(state, pod));
    const old = alive.filter((pod) => !isCurrent(state, pod));
    for (const pod of [...current.slice(1), ...old.slice(1)]) remove.add(pod);
    const [oldest] = old;
    const [newest] = current;
    if (!oldest) continue;
    if (newest) {
      if (isAvailable(state, newest)) remove.add(oldest);
      else doubled++;
    } else if (!isAvailable(state, oldest)) {
      doubled++;
      create.push(name);
    } else {
      candidates.push(name);
    }
  }
  create.push(...candidates.slice(0, Math.max(0, surge - doubled)));
}

function statusOf(
  state: DaemonSetState,
  onNodes: ReadonlyMap<string, NodePods>,
): Pick<DaemonSetPlan, 'status' | 'lookAgainMs'> {
  const { daemonSet, nowMs } = state;
  const minReadySeconds = daemonSet.spec?.minReadySeconds ?? 0;
  const counts = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 };
  let lookAgainMs: number | undefined;
  for (const { run, pods } of onNodes.values()) {
    const alive = pods.filter(isAlive);
    if (!run) {
      if (alive.length > 0) counts.misscheduled++;
      continue;
    }
    counts.desired++;
    if (alive.length === 0) continue;
    counts.current++;
    if (alive.some((pod) => isCurrent(state, pod))) counts.updated++;
    const waits = alive.filter(isPodReady).map((pod) => availableInMs(pod, minReadySeconds, nowMs) ?? 0);
    if (waits.length > 0) counts.ready++;
    if (waits.includes(0)) counts.available++;
    for (const wait of waits) if (wait > 0) lookAgainMs = Math.min(lookAgainMs ?? wait, wait);
  }
  const { collisionCount, conditions } = daemonSet.status ?? {};
  const status: DaemonSetStatus = {
    currentNumberScheduled: counts.current,
    numberMisscheduled: counts.misscheduled,
    desiredNumberScheduled: counts.desired,
    numberReady: counts.ready,
    updatedNumberScheduled: counts.updated,
    numberAvailable: counts.available,
    numberUnavailable: counts.desired - counts.available,
    observedGeneration: daemonSet.metadata.generation ?? 0,
    ...(collisionCount === undefined ? {} : { collisionCount }),
    ...(conditions === undefined ? {} : { conditions }),
  };
  return { status, lookAgainMs };
}

const isAlive = (pod: Pod): boolean => pod.metadata.deletionTimestamp === undefined && !isPodTerminal(pod);

const isCurrent = ({ hash }: DaemonSetState, pod: Pod): boolean => pod.metadata.labels?.[REVISION_HASH_LABEL] === hash;

function isAvailable({ daemonSet, nowMs }: DaemonSetState, pod: Pod): boolean {
  return availableInMs(pod, daemonSet.spec?.minReadySeconds ?? 0, nowMs) === 0;
}

function maxSurgeOf(daemonSet: DaemonSet, onNodes: ReadonlyMap<string, NodePods>): number {
  const wanted = [...onNodes.values()].filter(({ run }) => run).length;
  return roundUp(daemonSet.spec?.updateStrategy?.rollingUpdate?.maxSurge ?? 0, wanted);
}

/** Never 0 without a surge: an update could not begin. */
function maxUnavailableOf(daemonSet: DaemonSet, wanted: number): number {
  return Math.max(1, roundUp(daemonSet.spec?.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, wanted));
}

/** An absolute number, or a percentage of `whole`, rounded up. */
function roundUp(value: number | string, whole: number): number {
  const percent = /^(\d+)%$/.exec(String(value))?.[1];
  return percent === undefined ? Number(value) || 0 : Math.ceil((Number(percent) * whole) / 100);
}
