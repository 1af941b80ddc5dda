import { type Deployment, type DeploymentStatus, isPodTerminal, type Pod, type ReplicaSet } from '@ballast/kube';
import { same } from '../same.ts';
import {
  newReplicaSet,
  nextRevision,
  REVISION,
  revisionAnnotations,
  revisionOf,
  scaleAnnotations,
  splitByTemplate,
} from './revision.ts';
import {
  type Bounds,
  boundsOf,
  DESIRED_REPLICAS,
  type Draft,
  draftOf,
  newReplicaCount,
  oldestFirst,
  scaleProportionally,
  shrinkOld,
  specReplicas,
} from './scaling.ts';
import { deadlineCheckMs, deploymentStatus, isComplete } from './status.ts';

export interface DeploymentState {
  readonly deployment: Deployment;
  /** All ReplicaSets that the Deployment manages. */
  readonly replicaSets: readonly ReplicaSet[];
  /** Pods of these ReplicaSets; asked for by the Recreate strategy only. */
  readonly pods: () => Iterable<Pod>;
  readonly nowMs: number;
}

export type DeploymentAction =
  | { readonly kind: 'create'; readonly replicaSet: ReplicaSet }
  /** `from` and `to` are the sizes before and after. */
  | { readonly kind: 'update'; readonly replicaSet: ReplicaSet; readonly from: number; readonly to: number }
  | { readonly kind: 'delete'; readonly replicaSet: ReplicaSet };

export interface DeploymentPlan {
  /** In this order. */
  readonly actions: readonly DeploymentAction[];
  readonly status: DeploymentStatus;
  /** Value of the Deployment's revision annotation, when it has to change. */
  readonly revision: string | undefined;
  readonly lookAgainMs: number | undefined;
}

/** The next step of a Deployment. Each step changes what the ReplicaSets are asked for; their answers trigger the next one. */
export function planDeployment(state: DeploymentState): DeploymentPlan {
  const { deployment, nowMs } = state;
  const { current, old } = splitByTemplate(deployment, state.replicaSets);
  const leaving = deployment.metadata.deletionTimestamp !== undefined;
  const steps = leaving ? { actions: [], revision: undefined } : planSteps(state, current, old);
  const created = steps.actions.find((action) => action.kind === 'create');
  const status = deploymentStatus({ deployment, current, old, nowMs, creating: created?.replicaSet.metadata.name });
  return { ...steps, status, lookAgainMs: leaving ? undefined : deadlineCheckMs(deployment, status, nowMs) };
}

function planSteps(
  state: DeploymentState,
  current: ReplicaSet | undefined,
  old: readonly ReplicaSet[],
): Pick<DeploymentPlan, 'actions' | 'revision'> {
  const { deployment } = state;
  const bounds = boundsOf(deployment);
  const revision = nextRevision(old);
  const oldDrafts = old.map(draftOf);
  const draft = current && draftOf(current);
  const actions: DeploymentAction[] = [];

  const paused = deployment.spec?.paused === true;
  if (paused || isScalingEvent(bounds, current ? [...old, current] : old)) {
    scaleAll(deployment, bounds, draft, oldDrafts);
  } else if (deployment.spec?.strategy?.type === 'Recreate') {
    recreate(state, bounds, draft, oldDrafts, () => actions.push(create(bounds.wanted)));
  } else {
    // The surge counts what old ReplicaSets were asked for before this round, not what it takes from them now.
    if (!draft) {
      const empty: Draft = { replicaSet: { metadata: { name: '' } } as ReplicaSet, replicas: 0 };
      actions.push(create(newReplicaCount(bounds, empty, oldDrafts)));
    } else {
      const before = draft.replicas;
      draft.replicas = newReplicaCount(bounds, draft, [...oldDrafts, draft]);
      if (draft.replicas === before) shrinkOld(bounds, draft, oldDrafts);
    }
  }

  if (draft) {
    const annotations = revisionAnnotations(deployment, draft.replicaSet, revision);
    const minReadySeconds = deployment.spec?.minReadySeconds ?? 0;
    push(actions, draft, bounds, annotations, minReadySeconds);
  }
  for (const oldDraft of oldDrafts) push(actions, oldDraft, bounds, oldDraft.replicaSet.metadata.annotations ?? {});
  if (!paused && current && isComplete(deployment, deploymentStatus({ ...state, current, old, creating: undefined }))) {
    for (const replicaSet of expiredHistory(deployment, old)) actions.push({ kind: 'delete', replicaSet });
  }
  return { actions, revision: deploymentRevision(deployment, current, revision, actions) };

  function create(replicas: number): DeploymentAction {
    return { kind: 'create', replicaSet: newReplicaSet({ deployment, revision, replicas, bounds }) };
  }
}

/** spec.replicas has changed since a ReplicaSet was sized: that is settled before a rollout goes on. */
function isScalingEvent(bounds: Bounds, replicaSets: readonly ReplicaSet[]): boolean {
  return replicaSets.some((replicaSet) => {
    const desired = replicaSet.metadata.annotations?.[DESIRED_REPLICAS];
    return specReplicas(replicaSet) > 0 && desired !== undefined && Number(desired) !== bounds.wanted;
  });
}

function scaleAll(deployment: Deployment, bounds: Bounds, current: Draft | undefined, old: readonly Draft[]): void {
  const all = current ? [...old, current] : [...old];
  const active = all.filter(({ replicas }) => replicas > 0);
  const newestOld = [...old].sort(oldestFirst).at(-1);
  const only = active.length === 0 ? (current ?? newestOld) : active.length === 1 ? active[0] : undefined;
  if (only) {
    only.replicas = bounds.wanted;
    return;
  }
  if (current && isSaturated(bounds, current)) {
    for (const draft of old) draft.replicas = 0;
    return;
  }
  if (deployment.spec?.strategy?.type !== 'Recreate') {
    scaleProportionally(bounds, all, deployment.status?.replicas ?? 0);
  }
}

function isSaturated(bounds: Bounds, { replicaSet, replicas }: Draft): boolean {
  const desired = Number(replicaSet.metadata.annotations?.[DESIRED_REPLICAS]);
  const available = replicaSet.status?.availableReplicas ?? 0;
  return replicas === bounds.wanted && desired === bounds.wanted && available === bounds.wanted;
}

/** All old pods go before the first new one comes. */
function recreate(
  state: DeploymentState,
  bounds: Bounds,
  current: Draft | undefined,
  old: readonly Draft[],
  createCurrent: () => void,
): void {
  if (old.some(({ replicas }) => replicas > 0)) {
    for (const draft of old) draft.replicas = 0;
    return;
  }
  const currentUid = current?.replicaSet.metadata.uid;
  for (const pod of state.pods()) {
    const ofCurrent = pod.metadata.ownerReferences?.some(({ uid }) => uid === currentUid);
    if (!ofCurrent && !isPodTerminal(pod)) return;
  }
  if (current) current.replicas = bounds.wanted;
  else createCurrent();
}

/** Adds an update for a ReplicaSet whose size, annotations or minReadySeconds are not what they should be. */
function push(
  actions: DeploymentAction[],
  draft: Draft,
  bounds: Bounds,
  annotations: Readonly<Record<string, string>>,
  minReadySeconds = draft.replicaSet.spec?.minReadySeconds ?? 0,
): void {
  const { replicaSet, replicas } = draft;
  const from = specReplicas(replicaSet);
  // A ReplicaSet of size 0 is history: its scale annotations are of no use, and rewriting them would cost a write each.
  const sized = replicas > 0 || from > 0 ? { ...annotations, ...scaleAnnotations(bounds) } : annotations;
  const unchanged =
    from === replicas &&
    same(sized, replicaSet.metadata.annotations ?? {}) &&
    (replicaSet.spec?.minReadySeconds ?? 0) === minReadySeconds;
  if (unchanged) return;
  actions.push({
    kind: 'update',
    from,
    to: replicas,
    replicaSet: {
      ...replicaSet,
      metadata: { ...replicaSet.metadata, annotations: sized },
      spec: { ...replicaSet.spec, replicas, minReadySeconds },
    } as ReplicaSet,
  });
}

/** Old ReplicaSets beyond spec.revisionHistoryLimit, lowest revision first; only those that are empty and settled. */
function expiredHistory(deployment: Deployment, old: readonly ReplicaSet[]): ReplicaSet[] {
  const limit = deployment.spec?.revisionHistoryLimit;
  if (limit === undefined) return [];
  const kept = old.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return kept
    .sort((a, b) => revisionOf(a) - revisionOf(b))
    .slice(0, Math.max(0, kept.length - limit))
    .filter(
      (replicaSet) =>
        specReplicas(replicaSet) === 0 &&
        (replicaSet.status?.replicas ?? 0) === 0 &&
        (replicaSet.status?.observedGeneration ?? 0) >= (replicaSet.metadata.generation ?? 0),
    );
}

function deploymentRevision(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  revision: number,
  actions: readonly DeploymentAction[],
): string | undefined {
  const creates = actions.some(({ kind }) => kind === 'create');
  if (!current && !creates) return undefined;
  const value = String(Math.max(revision, current ? revisionOf(current) : 0));
  return deployment.metadata.annotations?.[REVISION] === value ? undefined : value;
}
