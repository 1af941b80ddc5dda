import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '@ballast/kube';
import { timeOf, withCondition, withoutCondition } from '../conditions.ts';
import { boundsOf, specReplicas } from './scaling.ts';

/** spec.progressDeadlineSeconds of this value means: none (upstream's MaxInt32). */
const NO_DEADLINE = 2_147_483_647;

export interface StatusInput {
  readonly deployment: Deployment;
  readonly current: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
  readonly nowMs: number;
  /** The current ReplicaSet is created in this round. */
  readonly creating: string | undefined;
}

const progressing = (conditions: readonly DeploymentCondition[] | undefined): DeploymentCondition | undefined =>
  conditions?.find(({ type }) => type === 'Progressing');

export const hasDeadline = ({ spec }: Deployment): boolean =>
  spec?.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds !== NO_DEADLINE;

/** All pods are of the current template and available, and no old one is left. */
export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = specReplicas(deployment);
  return (
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

/** The status that `kubectl rollout status` and the like read; conditions and their texts as upstream writes them. */
export function deploymentStatus(input: StatusInput): DeploymentStatus {
  const { deployment, current, old, nowMs } = input;
  const all = current ? [...old, current] : old;
  const sum = (of: (replicaSet: ReplicaSet) => number | undefined) =>
    all.reduce((result, replicaSet) => result + (of(replicaSet) ?? 0), 0);
  const availableReplicas = sum(({ status }) => status?.availableReplicas);
  const { collisionCount } = deployment.status ?? {};
  const status: DeploymentStatus = {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sum(({ status }) => status?.replicas),
    updatedReplicas: current?.status?.replicas ?? 0,
    readyReplicas: sum(({ status }) => status?.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(0, sum(specReplicas) - availableReplicas),
    ...(collisionCount === undefined ? {} : { collisionCount }),
  };

  const bounds = boundsOf(deployment);
  const enough = availableReplicas >= bounds.wanted - bounds.maxUnavailable;
  let conditions = withCondition(
    deployment.status?.conditions,
    condition(
      nowMs,
      'Available',
      enough ? 'True' : 'False',
      enough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
      `Deployment ${enough ? 'has' : 'does not have'} minimum availability.`,
    ),
  );
  conditions = withProgress(input, status, conditions);
  const failure = [...(current ? [current] : []), ...old]
    .flatMap((replicaSet) => replicaSet.status?.conditions ?? [])
    .find(({ type }) => type === 'ReplicaFailure');
  conditions = failure
    ? withCondition(
        conditions,
        condition(nowMs, 'ReplicaFailure', failure.status, failure.reason ?? '', failure.message ?? ''),
      )
    : withoutCondition(conditions, 'ReplicaFailure');
  return { ...status, conditions };
}

/** The Progressing condition. Its lastUpdateTime is when progress was last seen; the deadline counts from there. */
function withProgress(
  { deployment, current, nowMs, creating }: StatusInput,
  status: DeploymentStatus,
  conditions: DeploymentCondition[],
): DeploymentCondition[] {
  if (!hasDeadline(deployment)) return withoutCondition(conditions, 'Progressing');
  const known = progressing(conditions);
  if (deployment.spec?.paused) {
    if (known?.reason === 'ProgressDeadlineExceeded') return conditions;
    return withCondition(
      conditions,
      condition(nowMs, 'Progressing', 'Unknown', 'DeploymentPaused', 'Deployment is paused'),
    );
  }
  if (known?.reason === 'DeploymentPaused') {
    return withCondition(
      conditions,
      condition(nowMs, 'Progressing', 'Unknown', 'DeploymentResumed', 'Deployment is resumed'),
    );
  }
  if (creating !== undefined) {
    const message = `Created new replica set "${creating}"`;
    return withCondition(conditions, condition(nowMs, 'Progressing', 'True', 'NewReplicaSetCreated', message));
  }
  const subject = current ? `ReplicaSet "${current.metadata.name}"` : `Deployment "${deployment.metadata.name}"`;
  const settled = known?.reason === 'NewReplicaSetAvailable' && status.replicas === status.updatedReplicas;
  if (settled) return conditions;
  if (isComplete(deployment, status)) {
    const message = `${subject} has successfully progressed.`;
    return withCondition(conditions, condition(nowMs, 'Progressing', 'True', 'NewReplicaSetAvailable', message));
  }
  if (hasProgressed(deployment.status, status)) {
    const next = condition(nowMs, 'Progressing', 'True', 'ReplicaSetUpdated', `${subject} is progressing.`);
    // The same status and reason again still moves lastUpdateTime: that is what the deadline is measured from.
    const since = known?.status === 'True' ? known.lastTransitionTime : undefined;
    return [
      ...withoutCondition(conditions, 'Progressing'),
      since === undefined ? next : { ...next, lastTransitionTime: since },
    ];
  }
  if (!known) {
    const found = `Found new replica set "${current?.metadata.name ?? ''}"`;
    return current
      ? withCondition(conditions, condition(nowMs, 'Progressing', 'True', 'FoundNewReplicaSet', found))
      : conditions;
  }
  if (deadlineLeftMs(deployment, known, nowMs) <= 0) {
    const message = `${subject} has timed out progressing.`;
    return withCondition(conditions, condition(nowMs, 'Progressing', 'False', 'ProgressDeadlineExceeded', message));
  }
  return conditions;
}

function hasProgressed(before: DeploymentStatus | undefined, after: DeploymentStatus): boolean {
  const old = (status: DeploymentStatus | undefined) => (status?.replicas ?? 0) - (status?.updatedReplicas ?? 0);
  return (
    (after.updatedReplicas ?? 0) > (before?.updatedReplicas ?? 0) ||
    old(after) < old(before) ||
    (after.readyReplicas ?? 0) > (before?.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before?.availableReplicas ?? 0)
  );
}

function deadlineLeftMs(deployment: Deployment, known: DeploymentCondition, nowMs: number): number {
  if (known.reason === 'NewReplicaSetAvailable') return Number.POSITIVE_INFINITY;
  const since = Date.parse(known.lastUpdateTime ?? known.lastTransitionTime ?? '');
  return since + (deployment.spec?.progressDeadlineSeconds ?? 600) * 1000 - nowMs;
}

/** When the progress deadline has to be looked at again, in ms; undefined when it cannot strike. */
export function deadlineCheckMs(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const known = progressing(status.conditions);
  if (!hasDeadline(deployment) || !known || isComplete(deployment, status)) return undefined;
  if (known.reason === 'ProgressDeadlineExceeded' || known.reason === 'NewReplicaSetAvailable') return undefined;
  return Math.max(0, deadlineLeftMs(deployment, known, nowMs)) + 1000;
}

/** The status with Progressing=False for a ReplicaSet that could not be created. */
export function withCreateFailure(status: DeploymentStatus, message: string, nowMs: number): DeploymentStatus {
  const failed = condition(nowMs, 'Progressing', 'False', 'ReplicaSetCreateError', message);
  return { ...status, conditions: withCondition(status.conditions, failed) };
}

function condition(nowMs: number, type: string, status: string, reason: string, message: string): DeploymentCondition {
  const now = timeOf(nowMs);
  return { type, status, reason, message, lastUpdateTime: now, lastTransitionTime: now } as DeploymentCondition;
}
