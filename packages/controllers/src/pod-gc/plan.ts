import { isPodTerminal, type Node, type Pod } from '@ballast/kube';
import { controllerOf } from '../ownership.ts';

/** Finished pods that are kept for people to look at (upstream's --terminated-pod-gc-threshold). */
export const MAX_FINISHED = 12_500;

/** How long after the end of its grace period a pod may be held by a node that is not heard of, in ms. */
export const DEAD_NODE_PATIENCE_MS = 30_000;

const OUT_OF_SERVICE = 'node.kubernetes.io/out-of-service';

/** Their pods are interchangeable: that two of them run for a while under one name cannot happen, since their names are random. */
const INTERCHANGEABLE: ReadonlySet<string> = new Set(['ReplicaSet', 'Job', 'ReplicationController']);

export interface DoomedPod {
  readonly pod: Pod;
  readonly reason: 'finished' | 'orphaned' | 'unscheduled' | 'out-of-service' | 'dead-node';
}

/**
 * Pods that nobody else will remove. Orphaned ones are named by the copy of the nodes: the caller has to make sure that the node is
 * gone. Departs from upstream: pods of a ReplicaSet or Job that are being deleted on a node that is not heard of do not stay until
 * the node is removed by hand, as nothing depends on there being only one of them.
 */
export function planPodCollection(options: {
  readonly pods: Iterable<Pod>;
  readonly node: (name: string) => Node | undefined;
  readonly nowMs: number;
  readonly maxFinished?: number;
}): DoomedPod[] {
  const doomed: DoomedPod[] = [];
  const finished: Pod[] = [];
  for (const pod of options.pods) {
    const reason = doomOf(pod, options);
    if (reason) doomed.push({ pod, reason });
    else if (isPodTerminal(pod) && pod.metadata.deletionTimestamp === undefined) finished.push(pod);
  }
  const excess = finished.length - (options.maxFinished ?? MAX_FINISHED);
  if (excess > 0) {
    const created = ({ metadata }: Pod) => metadata.creationTimestamp ?? '';
    finished.sort((a, b) => (created(a) < created(b) ? -1 : 1));
    for (const pod of finished.slice(0, excess)) doomed.push({ pod, reason: 'finished' });
  }
  return doomed;
}

function doomOf(
  pod: Pod,
  options: { node: (name: string) => Node | undefined; nowMs: number },
): DoomedPod['reason'] | undefined {
  const { deletionTimestamp } = pod.metadata;
  const nodeName = pod.spec?.nodeName;
  if (!nodeName) return deletionTimestamp === undefined ? undefined : 'unscheduled';
  const node = options.node(nodeName);
  if (!node) return 'orphaned';
  if (deletionTimestamp === undefined) return undefined;
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  if (ready === 'True') return undefined;
  if (node.spec?.taints?.some(({ key }) => key === OUT_OF_SERVICE)) return 'out-of-service';
  const overdueMs = options.nowMs - Date.parse(deletionTimestamp);
  const interchangeable = INTERCHANGEABLE.has(controllerOf(pod)?.kind ?? '');
  return ready === 'Unknown' && interchangeable && overdueMs > DEAD_NODE_PATIENCE_MS ? 'dead-node' : undefined;
}
