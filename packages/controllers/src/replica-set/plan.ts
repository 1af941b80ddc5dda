import {
  availableInMs,
  isPodActive,
  isPodReady,
  isPodTerminal,
  matchesLabels,
  type Pod,
  type ReplicaSet,
  type ReplicaSetStatus,
} from '@ballast/kube';
import { timeOf, withCondition, withoutCondition } from '../conditions.ts';
import { inDeletionOrder } from './rank.ts';

/** How many pods one round creates or deletes at most. */
const BURST = 500;

export interface ReplicaSetState {
  readonly replicaSet: ReplicaSet;
  /** All pods that the ReplicaSet manages, finished and terminating ones too. */
  readonly pods: readonly Pod[];
  /** Active pods of all ReplicaSets of the same owner; asked for only when pods have to go. */
  readonly related: () => Iterable<Pod>;
}

export interface ReplicaSetPlan {
  readonly create: number;
  readonly remove: readonly Pod[];
}

/** What brings the number of active pods to spec.replicas. */
export function planReplicas(state: ReplicaSetState): ReplicaSetPlan {
  const { replicaSet } = state;
  if (replicaSet.metadata.deletionTimestamp !== undefined) return { create: 0, remove: [] };
  const active = state.pods.filter(isPodActive);
  const missing = (replicaSet.spec?.replicas ?? 1) - active.length;
  if (missing >= 0) return { create: Math.min(missing, BURST), remove: [] };
  return { create: 0, remove: inDeletionOrder(active, state.related()).slice(0, Math.min(-missing, BURST)) };
}

export interface ReplicaSetStatusPlan {
  readonly status: ReplicaSetStatus;
  /** When a ready pod becomes available without any further event, in ms. */
  readonly lookAgainMs: number | undefined;
}

/** The status that these pods amount to. `failure` is what the last round could not do. */
export function replicaSetStatus(options: {
  readonly replicaSet: ReplicaSet;
  readonly pods: readonly Pod[];
  readonly nowMs: number;
  readonly failure: { readonly reason: 'FailedCreate' | 'FailedDelete'; readonly message: string } | undefined;
}): ReplicaSetStatusPlan {
  const { replicaSet, nowMs, failure } = options;
  const minReadySeconds = replicaSet.spec?.minReadySeconds ?? 0;
  const templateLabels = replicaSet.spec?.template?.metadata?.labels ?? {};
  const counts = {
    replicas: 0,
    fullyLabeledReplicas: 0,
    readyReplicas: 0,
    availableReplicas: 0,
    terminatingReplicas: 0,
  };
  let lookAgainMs: number | undefined;
  for (const pod of options.pods) {
    if (!isPodActive(pod)) {
      if (!isPodTerminal(pod)) counts.terminatingReplicas++;
      continue;
    }
    counts.replicas++;
    if (Object.keys(templateLabels).length === 0 || matchesLabels(templateLabels, pod.metadata.labels)) {
      counts.fullyLabeledReplicas++;
    }
    if (!isPodReady(pod)) continue;
    counts.readyReplicas++;
    const waitMs = availableInMs(pod, minReadySeconds, nowMs);
    if (waitMs === 0) counts.availableReplicas++;
    else if (waitMs !== undefined) lookAgainMs = Math.min(lookAgainMs ?? waitMs, waitMs);
  }
  const conditions = failure
    ? withCondition(replicaSet.status?.conditions, {
        type: 'ReplicaFailure',
        status: 'True',
        lastTransitionTime: timeOf(nowMs),
        ...failure,
      })
    : withoutCondition(replicaSet.status?.conditions, 'ReplicaFailure');
  const status: ReplicaSetStatus = {
    ...counts,
    observedGeneration: replicaSet.metadata.generation ?? 0,
    ...(conditions.length > 0 ? { conditions } : {}),
  };
  return { status, lookAgainMs };
}
