import type { Deployment, ReplicaSet } from '@ballast/kube';

export const DESIRED_REPLICAS = 'deployment.kubernetes.io/desired-replicas';
export const MAX_REPLICAS = 'deployment.kubernetes.io/max-replicas';

/** A ReplicaSet with the number of pods that the plan wants it to have so far. */
export interface Draft {
  readonly replicaSet: ReplicaSet;
  replicas: number;
}

export const draftOf = (replicaSet: ReplicaSet): Draft => ({ replicaSet, replicas: specReplicas(replicaSet) });

export const specReplicas = (object: ReplicaSet | Deployment): number => object.spec?.replicas ?? 1;

const available = ({ replicaSet }: Draft): number => replicaSet.status?.availableReplicas ?? 0;

export const total = (drafts: readonly Draft[]): number => drafts.reduce((sum, { replicas }) => sum + replicas, 0);

/** How far a rolling update may go above and below the wanted number of pods. */
export interface Bounds {
  readonly wanted: number;
  readonly maxSurge: number;
  readonly maxUnavailable: number;
}

/** Percentages are of spec.replicas; surge is rounded up, unavailability down, and both may not be zero. Recreate has no surge. */
export function boundsOf(deployment: Deployment): Bounds {
  const wanted = specReplicas(deployment);
  const strategy = deployment.spec?.strategy;
  if (strategy?.type === 'Recreate') return { wanted, maxSurge: 0, maxUnavailable: wanted };
  const maxSurge = resolve(strategy?.rollingUpdate?.maxSurge ?? '25%', wanted, Math.ceil);
  let maxUnavailable = resolve(strategy?.rollingUpdate?.maxUnavailable ?? '25%', wanted, Math.floor);
  if (maxSurge === 0 && maxUnavailable === 0) maxUnavailable = 1;
  return { wanted, maxSurge, maxUnavailable: Math.min(maxUnavailable, wanted) };
}

/** An absolute number, or a percentage of `whole`. */
export function resolve(value: number | string, whole: number, round: (value: number) => number): number {
  const percent = /^(\d+)%$/.exec(String(value))?.[1];
  return percent === undefined ? Number(value) || 0 : round((Number(percent) * whole) / 100);
}

/** How large the new ReplicaSet may be now without exceeding the surge. */
export function newReplicaCount(bounds: Bounds, current: Draft, all: readonly Draft[]): number {
  if (current.replicas >= bounds.wanted) return bounds.wanted;
  const room = bounds.wanted + bounds.maxSurge - total(all);
  if (room <= 0) return current.replicas;
  return current.replicas + Math.min(room, bounds.wanted - current.replicas);
}

/**
 * Takes pods away from the old ReplicaSets: first those that are not available anyway, then available ones as far as the minimum allows.
 * Returns true when something changed.
 */
export function shrinkOld(bounds: Bounds, current: Draft, old: readonly Draft[]): boolean {
  const before = total(old);
  if (before === 0) return false;
  const all = [...old, current];
  const minAvailable = bounds.wanted - bounds.maxUnavailable;
  const newUnavailable = current.replicas - available(current);
  let removable = total(all) - minAvailable - newUnavailable;
  if (removable <= 0) return false;
  const byAge = [...old].sort(oldestFirst);
  for (const draft of byAge) {
    const unhealthy = Math.max(0, draft.replicas - available(draft));
    const step = Math.min(unhealthy, removable);
    draft.replicas -= step;
    removable -= step;
  }
  let spare = all.reduce((sum, draft) => sum + available(draft), 0) - minAvailable;
  for (const draft of byAge) {
    if (spare <= 0) break;
    const step = Math.min(draft.replicas, spare);
    draft.replicas -= step;
    spare -= step;
  }
  return total(old) !== before;
}

/**
 * Spreads a change of spec.replicas in the middle of a rollout (or while paused) over all active ReplicaSets in proportion to their
 * size, so that the rollout's risk stays what it was.
 */
export function scaleProportionally(bounds: Bounds, drafts: readonly Draft[], statusReplicas: number): void {
  const active = drafts.filter(({ replicas }) => replicas > 0);
  const allowed = bounds.wanted > 0 ? bounds.wanted + bounds.maxSurge : 0;
  const toAdd = allowed - total(active);
  if (toAdd === 0) return;
  const order = active.sort((a, b) => b.replicas - a.replicas || (toAdd > 0 ? -oldestFirst(a, b) : oldestFirst(a, b)));
  let added = 0;
  for (const draft of order) {
    const fraction = share(bounds, draft, statusReplicas);
    const left = toAdd - added;
    const step = toAdd > 0 ? Math.min(fraction, left) : Math.max(fraction, left);
    draft.replicas += step;
    added += step;
  }
  const [largest] = order;
  if (largest) largest.replicas = Math.max(0, largest.replicas + toAdd - added);
}

/** The change of one ReplicaSet when the whole grows or shrinks from what its annotation says to what is wanted now. */
function share(bounds: Bounds, draft: Draft, statusReplicas: number): number {
  if (bounds.wanted === 0) return -draft.replicas;
  const before = Number(draft.replicaSet.metadata.annotations?.[MAX_REPLICAS] ?? 0) || statusReplicas;
  if (before === 0) return 0;
  return Math.round((draft.replicas * (bounds.wanted + bounds.maxSurge)) / before) - draft.replicas;
}

export function oldestFirst(a: Draft, b: Draft): number {
  const left = a.replicaSet.metadata;
  const right = b.replicaSet.metadata;
  const byTime = Date.parse(left.creationTimestamp ?? '') - Date.parse(right.creationTimestamp ?? '');
  return byTime || (left.name < right.name ? -1 : 1);
}
