import { type ControllerRevision, DAEMON_SETS, type DaemonSet, type Pod } from '@ballast/kube';
import { controllerReference } from '../ownership.ts';
import { canonicalJson } from '../same.ts';
import { templateHash } from '../template-hash.ts';
import { REVISION_HASH_LABEL } from './plan.ts';

export interface HistoryPlan {
  /** Names the current template; pods carry it as their controller-revision-hash. */
  readonly hash: string;
  readonly create: ControllerRevision | undefined;
  /** The revision of the current template with a new, highest number: a roll-back. */
  readonly renumber: ControllerRevision | undefined;
  readonly remove: readonly ControllerRevision[];
}

/** Which ControllerRevisions a DaemonSet should have: one for each template that it had, the current one with the highest number. */
export function planHistory(
  daemonSet: DaemonSet,
  revisions: readonly ControllerRevision[],
  pods: readonly Pod[],
): HistoryPlan {
  const template = daemonSet.spec?.template;
  if (!template) throw new Error(`DaemonSet ${daemonSet.metadata.name} has no template`);
  const data = { spec: { template: { ...structuredClone(template), $patch: 'replace' } } };
  const wanted = canonicalJson(data);
  const current = revisions.find((revision) => canonicalJson(revision.data) === wanted);
  const old = revisions.filter((revision) => revision !== current);
  const highest = Math.max(0, ...old.map(({ revision }) => revision));
  const hash =
    current?.metadata.labels?.[REVISION_HASH_LABEL] ?? templateHash(template, daemonSet.status?.collisionCount ?? 0);
  const create: ControllerRevision | undefined = current
    ? undefined
    : {
        apiVersion: 'apps/v1',
        kind: 'ControllerRevision',
        metadata: {
          name: `${daemonSet.metadata.name}-${hash}`,
          namespace: daemonSet.metadata.namespace ?? '',
          labels: { ...template.metadata?.labels, [REVISION_HASH_LABEL]: hash },
          annotations: { ...daemonSet.metadata.annotations },
          ownerReferences: [controllerReference(DAEMON_SETS, daemonSet)],
        },
        data,
        revision: highest + 1,
      };
  const renumber = current && current.revision <= highest ? { ...current, revision: highest + 1 } : undefined;
  const inUse = new Set(pods.map(({ metadata }) => metadata.labels?.[REVISION_HASH_LABEL]));
  const unused = old
    .filter(({ metadata }) => !inUse.has(metadata.labels?.[REVISION_HASH_LABEL]))
    .sort((a, b) => a.revision - b.revision);
  const limit = daemonSet.spec?.revisionHistoryLimit ?? 10;
  return { hash, create, renumber, remove: unused.slice(0, Math.max(0, unused.length - limit)) };
}
