import { DEPLOYMENTS, type Deployment, REPLICA_SETS, type ReplicaSet } from '@ballast/kube';
import { controllerReference } from '../ownership.ts';
import { POD_TEMPLATE_HASH, sameTemplate, templateHash } from '../template-hash.ts';
import { type Bounds, DESIRED_REPLICAS, draftOf, MAX_REPLICAS, oldestFirst } from './scaling.ts';

export const REVISION = 'deployment.kubernetes.io/revision';
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history';

/** Annotations that a Deployment keeps to itself. */
const NOT_INHERITED: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  REVISION,
  REVISION_HISTORY,
  DESIRED_REPLICAS,
  MAX_REPLICAS,
  'deprecated.deployment.rollback.to',
]);

const MAX_HISTORY_CHARACTERS = 2000;

/** The ReplicaSet that runs the Deployment's template (the oldest, should there be several), and all others. */
export function splitByTemplate(deployment: Deployment, replicaSets: readonly ReplicaSet[]) {
  const template = deployment.spec?.template;
  const byAge = [...replicaSets].sort((a, b) => oldestFirst(draftOf(a), draftOf(b)));
  const current = byAge.find((candidate) => {
    const other = candidate.spec?.template;
    return template !== undefined && other !== undefined && sameTemplate(template, other);
  });
  return { current, old: byAge.filter((candidate) => candidate !== current) };
}

export const revisionOf = (object: Deployment | ReplicaSet): number =>
  Number(object.metadata.annotations?.[REVISION] ?? 0) || 0;

export function nextRevision(old: readonly ReplicaSet[]): number {
  return Math.max(0, ...old.map(revisionOf)) + 1;
}

/** The annotations of the current ReplicaSet: inherited ones, its revision (never lowered), and the revisions it had before. */
export function revisionAnnotations(deployment: Deployment, current: ReplicaSet | undefined, revision: number) {
  const annotations: Record<string, string> = { ...current?.metadata.annotations };
  for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) {
    if (!NOT_INHERITED.has(key)) annotations[key] = value;
  }
  const before = current ? revisionOf(current) : 0;
  if (before >= revision) return annotations;
  annotations[REVISION] = String(revision);
  if (before > 0) {
    const history = (annotations[REVISION_HISTORY] ?? '').split(',').filter((entry) => entry !== '');
    history.push(String(before));
    while (history.join(',').length > MAX_HISTORY_CHARACTERS) history.shift();
    annotations[REVISION_HISTORY] = history.join(',');
  }
  return annotations;
}

export function scaleAnnotations(bounds: Bounds): Record<string, string> {
  return { [DESIRED_REPLICAS]: String(bounds.wanted), [MAX_REPLICAS]: String(bounds.wanted + bounds.maxSurge) };
}

/** The ReplicaSet for a template that has none yet. Its name follows from the template, so it cannot be created twice. */
export function newReplicaSet(options: {
  readonly deployment: Deployment;
  readonly revision: number;
  readonly replicas: number;
  readonly bounds: Bounds;
}): ReplicaSet {
  const { deployment, revision, replicas, bounds } = options;
  const template = structuredClone(deployment.spec?.template);
  if (!template) throw new Error(`Deployment ${deployment.metadata.name} has no template`);
  const hash = templateHash(template, deployment.status?.collisionCount ?? 0);
  const labels = { ...template.metadata?.labels, [POD_TEMPLATE_HASH]: hash };
  return {
    apiVersion: 'apps/v1',
    kind: REPLICA_SETS.kind,
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      ...(deployment.metadata.namespace === undefined ? {} : { namespace: deployment.metadata.namespace }),
      labels,
      annotations: { ...revisionAnnotations(deployment, undefined, revision), ...scaleAnnotations(bounds) },
      ownerReferences: [controllerReference(DEPLOYMENTS, deployment)],
    },
    spec: {
      replicas,
      minReadySeconds: deployment.spec?.minReadySeconds ?? 0,
      selector: {
        ...deployment.spec?.selector,
        matchLabels: { ...deployment.spec?.selector?.matchLabels, [POD_TEMPLATE_HASH]: hash },
      },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  } as ReplicaSet;
}
