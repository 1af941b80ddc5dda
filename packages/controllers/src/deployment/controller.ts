import { messageOf } from '@ballast/base';
import {
  DEPLOYMENTS,
  type Deployment,
  isApiError,
  keyOf,
  PODS,
  type Pod,
  REPLICA_SETS,
  type ReplicaSet,
  splitKey,
} from '@ballast/kube';
import type { Controller } from '../controller.ts';
import { OwnWrites } from '../own-writes.ts';
import { carryOutClaim, claim, controllerOf } from '../ownership.ts';
import { same } from '../same.ts';
import { startReconciler } from '../start-reconciler.ts';
import { sameTemplate } from '../template-hash.ts';
import { type DeploymentAction, planDeployment } from './plan.ts';
import { REVISION } from './revision.ts';
import { withCreateFailure } from './status.ts';

/** Rolls a Deployment's template out over ReplicaSets. */
export const deploymentController: Controller = {
  name: 'deployment',
  start(context) {
    const { client, events, clock } = context;
    const deployments = context.informers.of(DEPLOYMENTS);
    const replicaSets = context.informers.of(REPLICA_SETS);
    const pods = context.informers.of(PODS);
    const { queue, running } = startReconciler({
      name: 'deployment',
      context,
      workers: 4,
      needs: [deployments, replicaSets, pods],
      reconcile: (key) => reconcile(key),
    });
    const writes = new OwnWrites<ReplicaSet>(replicaSets, clock);
    deployments.onChange(({ object }) => queue.add(keyOf(object)));
    replicaSets.onChange((event) => {
      for (const replicaSet of event.type === 'modified' ? [event.previous, event.object] : [event.object]) {
        const owner = controllerOf(replicaSet);
        if (owner?.kind === 'Deployment') queue.add(`${replicaSet.metadata.namespace}/${owner.name}`);
        else if (!owner && event.type !== 'deleted') {
          for (const candidate of deployments.byIndex('namespace', replicaSet.metadata.namespace ?? '')) {
            if (claim(candidate, candidate.spec?.selector, [replicaSet]).adopt.length > 0) queue.add(keyOf(candidate));
          }
        }
      }
    });
    // Only Recreate waits for pods: their ReplicaSets tell everything else.
    pods.onChange((event) => {
      if (event.type === 'added') return;
      const owner = controllerOf(event.object);
      if (owner?.kind !== 'ReplicaSet') return;
      const replicaSet = replicaSets.get(`${event.object.metadata.namespace}/${owner.name}`);
      const deployment = replicaSet && controllerOf(replicaSet);
      if (deployment?.kind !== 'Deployment') return;
      const key = `${event.object.metadata.namespace}/${deployment.name}`;
      if (deployments.get(key)?.spec?.strategy?.type === 'Recreate') queue.add(key);
    });

    async function reconcile(key: string): Promise<void> {
      const deployment = deployments.get(key);
      if (!deployment) return;
      const { namespace = '' } = splitKey(key);
      const uid = deployment.metadata.uid ?? '';
      const selector = deployment.spec?.selector;
      if (Object.keys({ ...selector?.matchLabels }).length + (selector?.matchExpressions?.length ?? 0) === 0) {
        const message = 'This deployment is selecting all pods. A non-empty selector is required.';
        events.warning(DEPLOYMENTS, deployment, 'SelectingAll', message);
        return;
      }
      const managed = writes.over(uid, replicaSets.byIndex('controller', uid));
      const owned = await carryOutClaim({
        client,
        ownerResource: DEPLOYMENTS,
        owner: deployment,
        resource: REPLICA_SETS,
        claim: claim(deployment, selector, [...managed, ...replicaSets.byIndex('orphan', namespace)]),
      });
      const plan = planDeployment({
        deployment,
        replicaSets: owned,
        pods: () => podsOf(owned),
        nowMs: clock.nowMs(),
      });
      // First the revision: should anything below fail, the annotation is at worst early, and corrected in the next round.
      if (plan.revision !== undefined) {
        const body = { metadata: { uid, annotations: { [REVISION]: plan.revision } } };
        await client.patch(DEPLOYMENTS, deployment.metadata, { type: 'merge', body });
      }
      try {
        for (const action of plan.actions) await carryOut(deployment, action);
      } catch (error) {
        if (error instanceof NameTaken) await writeStatus(deployment, withCollision(deployment));
        else if (!isApiError(error, 'Conflict', 'unreachable')) {
          await writeStatus(deployment, withCreateFailure(plan.status, messageOf(error), clock.nowMs()));
        }
        throw error;
      }
      await writeStatus(deployment, plan.status);
      if (plan.lookAgainMs !== undefined) queue.addAfter(key, plan.lookAgainMs);
    }

    async function carryOut(deployment: Deployment, action: DeploymentAction): Promise<void> {
      const uid = deployment.metadata.uid ?? '';
      const { name } = action.replicaSet.metadata;
      const scaled = (from: number, to: number) => {
        const message = `Scaled ${to > from ? 'up' : 'down'} replica set ${name} from ${from} to ${to}`;
        events.normal(DEPLOYMENTS, deployment, 'ScalingReplicaSet', message);
      };
      switch (action.kind) {
        case 'create': {
          const created = await createReplicaSet(deployment, action.replicaSet);
          if (!created) return;
          writes.wrote(uid, created);
          if (created.spec?.replicas) scaled(0, created.spec.replicas);
          return;
        }
        case 'update':
          // The resourceVersion makes a decision on an outdated copy fail instead of undoing what happened since.
          writes.wrote(uid, await client.update(REPLICA_SETS, action.replicaSet));
          if (action.from !== action.to) scaled(action.from, action.to);
          return;
        case 'delete':
          await client.delete(REPLICA_SETS, action.replicaSet.metadata, { propagationPolicy: 'Background' });
          writes.deleted(uid, action.replicaSet);
      }
    }

    /** Undefined when it was there already, made by an earlier round that did not see its answer. */
    async function createReplicaSet(deployment: Deployment, wanted: ReplicaSet): Promise<ReplicaSet | undefined> {
      try {
        return await client.create(REPLICA_SETS, wanted);
      } catch (error) {
        if (!isApiError(error, 'AlreadyExists')) throw error;
        const existing = await client.find(REPLICA_SETS, wanted.metadata);
        const mine = existing && controllerOf(existing)?.uid === deployment.metadata.uid;
        const template = existing?.spec?.template;
        if (mine && template && wanted.spec?.template && sameTemplate(template, wanted.spec.template)) {
          writes.wrote(deployment.metadata.uid ?? '', existing);
          return undefined;
        }
        throw new NameTaken(`ReplicaSet name ${wanted.metadata.name} is taken by another object`, { cause: error });
      }
    }

    async function writeStatus(deployment: Deployment, status: Deployment['status']): Promise<void> {
      if (same(status, deployment.status)) return;
      // Without resourceVersion: the revision annotation may just have moved it, and the status has no other writer.
      const { name, namespace, uid } = deployment.metadata;
      const body = { metadata: { uid }, status: { ...nullsFor(deployment.status, status), ...status } };
      await client.patch(DEPLOYMENTS, { name, namespace }, { type: 'merge', body }, { subresource: 'status' });
    }

    function* podsOf(owned: readonly ReplicaSet[]): Iterable<Pod> {
      for (const { metadata } of owned) yield* pods.byIndex('controller', metadata.uid ?? '');
    }

    return running;
  },
};

/** The hash of the template collides with another object's name. */
class NameTaken extends Error {}

function withCollision(deployment: Deployment): Deployment['status'] {
  return { ...deployment.status, collisionCount: (deployment.status?.collisionCount ?? 0) + 1 };
}

/** Nulls, which delete in a merge patch, for the fields that the new status no longer has. */
function nullsFor(before: object | undefined, after: object | undefined): Record<string, null> {
  const gone = Object.keys(before ?? {}).filter((key) => !Object.hasOwn(after ?? {}, key));
  return Object.fromEntries(gone.map((key) => [key, null]));
}
