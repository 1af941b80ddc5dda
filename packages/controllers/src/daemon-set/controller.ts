import { messageOf } from '@ballast/base';
import {
  CONTROLLER_REVISIONS,
  type ControllerRevision,
  DAEMON_SETS,
  type DaemonSet,
  isApiError,
  keyOf,
  NODES,
  PODS,
  type Pod,
  splitKey,
} from '@ballast/kube';
import type { Controller } from '../controller.ts';
import { OwnWrites } from '../own-writes.ts';
import { carryOutClaim, claim, controllerOf, controllerReference } from '../ownership.ts';
import { podFromTemplate } from '../pod-from-template.ts';
import { same } from '../same.ts';
import { slowStart } from '../slow-start.ts';
import { startReconciler } from '../start-reconciler.ts';
import { planHistory } from './history.ts';
import { placementOn, specForNode } from './placement.ts';
import { planDaemonSet, REVISION_HASH_LABEL } from './plan.ts';

/** Runs one pod of a template on every node that it fits. */
export const daemonSetController: Controller = {
  name: 'daemonset',
  start(context) {
    const { client, clock, events } = context;
    const daemonSets = context.informers.of(DAEMON_SETS);
    const pods = context.informers.of(PODS);
    const nodes = context.informers.of(NODES);
    const revisions = context.informers.of(CONTROLLER_REVISIONS);
    const { queue, running } = startReconciler({
      name: 'daemonset',
      context,
      workers: 2,
      needs: [daemonSets, pods, nodes, revisions],
      reconcile: (key) => reconcile(key),
    });
    const podWrites = new OwnWrites<Pod>(pods, clock);
    const revisionWrites = new OwnWrites<ControllerRevision>(revisions, clock);
    const addOwner = (object: Pod | ControllerRevision) => {
      const owner = controllerOf(object);
      if (owner?.kind === 'DaemonSet') queue.add(`${object.metadata.namespace}/${owner.name}`);
    };
    daemonSets.onChange(({ object }) => queue.add(keyOf(object)));
    revisions.onChange(({ object }) => addOwner(object));
    pods.onChange((event) => {
      addOwner(event.object);
      if (event.type === 'modified') addOwner(event.previous);
      if (event.type === 'deleted' || controllerOf(event.object)) return;
      for (const candidate of daemonSets.byIndex('namespace', event.object.metadata.namespace ?? '')) {
        if (claim(candidate, candidate.spec?.selector, [event.object]).adopt.length > 0) queue.add(keyOf(candidate));
      }
    });
    nodes.onChange((event) => {
      for (const daemonSet of daemonSets.list()) {
        // Nodes report every few seconds; only what changes the placement is of interest.
        const before = event.type === 'modified' ? placementOn(daemonSet, event.previous) : undefined;
        if (!same(before, placementOn(daemonSet, event.object))) queue.add(keyOf(daemonSet));
      }
    });

    async function reconcile(key: string): Promise<void> {
      const daemonSet = daemonSets.get(key);
      if (!daemonSet) return;
      const { namespace = '' } = splitKey(key);
      const uid = daemonSet.metadata.uid ?? '';
      const managed = podWrites.over(uid, pods.byIndex('controller', uid));
      const owned = await carryOutClaim({
        client,
        ownerResource: DAEMON_SETS,
        owner: daemonSet,
        resource: PODS,
        claim: claim(daemonSet, daemonSet.spec?.selector, [...managed, ...pods.byIndex('orphan', namespace)]),
      });
      const hash = await keepHistory(daemonSet, owned);
      const plan = planDaemonSet({ daemonSet, nodes: [...nodes.list()], pods: owned, hash, nowMs: clock.nowMs() });
      let failure: unknown;
      await slowStart(plan.create.length, async (index) => {
        podWrites.wrote(uid, await createPod(daemonSet, plan.create[index] ?? '', hash));
      }).catch((error: unknown) => {
        failure = error;
      });
      for (const pod of plan.remove) {
        await deletePod(daemonSet, pod);
        podWrites.deleted(uid, pod);
      }
      await writeStatus(daemonSet, plan.status);
      if (plan.lookAgainMs !== undefined) queue.addAfter(key, plan.lookAgainMs);
      if (failure) throw failure;
    }

    /** Resolves with the hash of the current template. */
    async function keepHistory(daemonSet: DaemonSet, owned: readonly Pod[]): Promise<string> {
      const uid = daemonSet.metadata.uid ?? '';
      const known = revisionWrites.over(uid, revisions.byIndex('controller', uid));
      const plan = planHistory(daemonSet, known, owned);
      if (daemonSet.metadata.deletionTimestamp !== undefined) return plan.hash;
      if (plan.create) {
        try {
          revisionWrites.wrote(uid, await client.create(CONTROLLER_REVISIONS, plan.create));
        } catch (error) {
          if (!isApiError(error, 'AlreadyExists')) throw error;
          const existing = await client.find(CONTROLLER_REVISIONS, plan.create.metadata);
          if (!existing || !same(existing.data, plan.create.data)) {
            const collisionCount = (daemonSet.status?.collisionCount ?? 0) + 1;
            const body = { status: { collisionCount } };
            await client.patch(DAEMON_SETS, daemonSet.metadata, { type: 'merge', body }, { subresource: 'status' });
            throw error;
          }
          revisionWrites.wrote(uid, existing);
        }
      }
      if (plan.renumber) revisionWrites.wrote(uid, await client.update(CONTROLLER_REVISIONS, plan.renumber));
      for (const revision of plan.remove) {
        await client.delete(CONTROLLER_REVISIONS, revision.metadata).catch((error: unknown) => {
          if (!isApiError(error, 'NotFound')) throw error;
        });
        revisionWrites.deleted(uid, revision);
      }
      return plan.hash;
    }

    async function createPod(daemonSet: DaemonSet, node: string, hash: string): Promise<Pod> {
      const template = daemonSet.spec?.template;
      if (!template?.spec) throw new Error(`DaemonSet ${keyOf(daemonSet)} has no template`);
      const pod = podFromTemplate({
        template,
        owner: controllerReference(DAEMON_SETS, daemonSet),
        namespace: daemonSet.metadata.namespace ?? '',
        labels: { [REVISION_HASH_LABEL]: hash },
        spec: specForNode(template.spec, node),
      });
      try {
        const created = await client.create(PODS, pod);
        const message = `Created pod: ${created.metadata.name}`;
        events.normal(DAEMON_SETS, daemonSet, 'SuccessfulCreate', message);
        return created;
      } catch (error) {
        events.warning(DAEMON_SETS, daemonSet, 'FailedCreate', `Error creating: ${messageOf(error)}`);
        throw error;
      }
    }

    async function deletePod(daemonSet: DaemonSet, pod: Pod): Promise<void> {
      const { uid, name } = pod.metadata;
      try {
        await client.delete(PODS, pod.metadata, uid === undefined ? {} : { preconditions: { uid } });
        events.normal(DAEMON_SETS, daemonSet, 'SuccessfulDelete', `Deleted pod: ${name}`);
      } catch (error) {
        if (!isApiError(error, 'NotFound')) throw error;
      }
    }

    async function writeStatus(daemonSet: DaemonSet, status: DaemonSet['status']): Promise<void> {
      if (same(status, daemonSet.status)) return;
      const { name, namespace, uid } = daemonSet.metadata;
      const body = { metadata: { uid }, status };
      await client.patch(DAEMON_SETS, { name, namespace }, { type: 'merge', body }, { subresource: 'status' });
    }

    return running;
  },
};
