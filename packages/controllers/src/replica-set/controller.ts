import { messageOf } from '@ballast/base';
import { isApiError, isPodActive, keyOf, PODS, type Pod, REPLICA_SETS, type ReplicaSet, splitKey } from '@ballast/kube';
import type { Controller, ControllerContext } from '../controller.ts';
import { OwnWrites } from '../own-writes.ts';
import { carryOutClaim, claim, controllerOf, controllerReference } from '../ownership.ts';
import { podFromTemplate } from '../pod-from-template.ts';
import { same } from '../same.ts';
import { slowStart } from '../slow-start.ts';
import { startReconciler } from '../start-reconciler.ts';
import { planReplicas, replicaSetStatus } from './plan.ts';

/** Keeps as many pods of one template running as the ReplicaSet says. */
export const replicaSetController: Controller = {
  name: 'replicaset',
  start(context) {
    const replicaSets = context.informers.of(REPLICA_SETS);
    const pods = context.informers.of(PODS);
    const { queue, running } = startReconciler({
      name: 'replicaset',
      context,
      workers: 8,
      needs: [replicaSets, pods],
      reconcile: (key) => reconcile(key),
    });
    const writes = new OwnWrites<Pod>(pods, context.clock);
    replicaSets.onChange(({ object }) => queue.add(keyOf(object)));
    pods.onChange((event) => {
      for (const pod of event.type === 'modified' ? [event.previous, event.object] : [event.object]) {
        const owner = controllerOf(pod);
        if (owner?.kind === 'ReplicaSet') queue.add(`${pod.metadata.namespace}/${owner.name}`);
        else if (!owner && event.type !== 'deleted') {
          for (const candidate of replicaSets.byIndex('namespace', pod.metadata.namespace ?? '')) {
            if (claim(candidate, candidate.spec?.selector, [pod]).adopt.length > 0) queue.add(keyOf(candidate));
          }
        }
      }
    });

    async function reconcile(key: string): Promise<void> {
      const replicaSet = replicaSets.get(key);
      if (!replicaSet) return;
      const { namespace = '' } = splitKey(key);
      const uid = replicaSet.metadata.uid ?? '';
      const managed = writes.over(uid, pods.byIndex('controller', uid));
      const owned = await carryOutClaim({
        client: context.client,
        ownerResource: REPLICA_SETS,
        owner: replicaSet,
        resource: PODS,
        claim: claim(replicaSet, replicaSet.spec?.selector, [...managed, ...pods.byIndex('orphan', namespace)]),
      });
      const plan = planReplicas({ replicaSet, pods: owned, related: () => relatedPods(replicaSet) });
      const failures: { reason: 'FailedCreate' | 'FailedDelete'; error: unknown }[] = [];
      await slowStart(plan.create, async () => {
        const pod = await createPod(context, replicaSet);
        writes.wrote(uid, pod);
        owned.push(pod);
      }).catch((error: unknown) => failures.push({ reason: 'FailedCreate', error }));
      const removed = new Set<Pod>();
      const outcomes = await Promise.allSettled(
        plan.remove.map(async (pod) => {
          await deletePod(context, replicaSet, pod);
          writes.deleted(uid, pod);
          removed.add(pod);
        }),
      );
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') failures.push({ reason: 'FailedDelete', error: outcome.reason });
      }

      const [failure] = failures.filter(({ error }) => !isNamespaceLeaving(error));
      const { status, lookAgainMs } = replicaSetStatus({
        replicaSet,
        pods: owned.filter((pod) => !removed.has(pod)),
        nowMs: context.clock.nowMs(),
        failure: failure && { reason: failure.reason, message: messageOf(failure.error) },
      });
      if (!same(status, replicaSet.status)) {
        // Without resourceVersion: nobody else writes this status, and one that is judged from an older spec says so itself.
        const { name } = replicaSet.metadata;
        const cleared = status.conditions ? {} : { conditions: null };
        const body = { metadata: { uid }, status: { ...status, ...cleared } };
        await context.client.patch(
          REPLICA_SETS,
          { name, namespace },
          { type: 'merge', body },
          { subresource: 'status' },
        );
      }
      if (lookAgainMs !== undefined) queue.addAfter(key, lookAgainMs);
      if (failure) throw failure.error;
    }

    /** Active pods of all ReplicaSets with the same controller. */
    function* relatedPods(replicaSet: ReplicaSet): Iterable<Pod> {
      const owner = controllerOf(replicaSet);
      const siblings = owner ? replicaSets.byIndex('controller', owner.uid) : [replicaSet];
      for (const sibling of siblings) {
        for (const pod of pods.byIndex('controller', sibling.metadata.uid ?? '')) if (isPodActive(pod)) yield pod;
      }
    }

    return running;
  },
};

async function createPod({ client, events }: ControllerContext, replicaSet: ReplicaSet): Promise<Pod> {
  const template = replicaSet.spec?.template;
  if (!template) throw new Error(`ReplicaSet ${keyOf(replicaSet)} has no template`);
  const pod = podFromTemplate({
    template,
    owner: controllerReference(REPLICA_SETS, replicaSet),
    namespace: replicaSet.metadata.namespace ?? '',
  });
  try {
    const created = await client.create(PODS, pod);
    const message = `Created pod: ${created.metadata.name}`;
    events.normal(REPLICA_SETS, replicaSet, 'SuccessfulCreate', message);
    return created;
  } catch (error) {
    const message = `Error creating: ${messageOf(error)}`;
    if (!isNamespaceLeaving(error)) events.warning(REPLICA_SETS, replicaSet, 'FailedCreate', message);
    throw error;
  }
}

async function deletePod({ client, events }: ControllerContext, replicaSet: ReplicaSet, pod: Pod): Promise<void> {
  const { uid, name } = pod.metadata;
  try {
    await client.delete(PODS, pod.metadata, uid === undefined ? {} : { preconditions: { uid } });
  } catch (error) {
    if (isApiError(error, 'NotFound')) return;
    const message = `Error deleting: ${messageOf(error)}`;
    events.warning(REPLICA_SETS, replicaSet, 'FailedDelete', message);
    throw error;
  }
  events.normal(REPLICA_SETS, replicaSet, 'SuccessfulDelete', `Deleted pod: ${name}`);
}

/** Nothing can be created in a namespace that is going away, and its ReplicaSets go with it. */
function isNamespaceLeaving(error: unknown): boolean {
  const causes = isApiError(error, 'Forbidden') ? (error.status?.details?.causes ?? []) : [];
  return causes.some(({ reason }) => reason === 'NamespaceTerminating');
}
