import { isApiError, keyOf, NODES, PODS, type Pod } from '@ballast/kube';
import { timeOf, withCondition } from '../conditions.ts';
import type { Controller } from '../controller.ts';
import { startReconciler } from '../start-reconciler.ts';
import { evictAtMs } from './plan.ts';

/** Deletes pods from nodes whose NoExecute taints they do not tolerate, or not any longer. */
export const taintEvictionController: Controller = {
  name: 'taint-eviction',
  start(context) {
    const { client, clock, events } = context;
    const nodes = context.informers.of(NODES);
    const pods = context.informers.of(PODS);
    const { queue, running } = startReconciler({
      name: 'taint-eviction',
      context,
      workers: 8,
      needs: [nodes, pods],
      reconcile: (key) => reconcile(key),
    });
    const isEvicting = (name: string) =>
      nodes.get(name)?.spec?.taints?.some(({ effect }) => effect === 'NoExecute') ?? false;
    nodes.onChange(({ object, type }) => {
      const { name } = object.metadata;
      if (type !== 'deleted' && isEvicting(name)) for (const pod of pods.byIndex('node', name)) queue.add(keyOf(pod));
    });
    pods.onChange(({ object, type }) => {
      if (type !== 'deleted' && object.spec?.nodeName && isEvicting(object.spec.nodeName)) queue.add(keyOf(object));
    });

    async function reconcile(key: string): Promise<void> {
      const pod = pods.get(key);
      const node = pod?.spec?.nodeName && nodes.get(pod.spec.nodeName);
      if (!pod || !node || pod.metadata.deletionTimestamp !== undefined) return;
      const nowMs = clock.nowMs();
      const atMs = evictAtMs(pod, node.spec?.taints ?? [], nowMs);
      if (atMs === undefined) return;
      if (atMs > nowMs) return queue.addAfter(key, atMs - nowMs);
      await evict(pod);
    }

    async function evict(pod: Pod): Promise<void> {
      const { uid } = pod.metadata;
      const conditions = withCondition(pod.status?.conditions, {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByTaintManager',
        message: 'Taint manager: deleting due to NoExecute taint',
        lastTransitionTime: timeOf(clock.nowMs()),
      });
      const body = { metadata: { resourceVersion: pod.metadata.resourceVersion }, status: { conditions } };
      try {
        await client.patch(PODS, pod.metadata, { type: 'merge', body }, { subresource: 'status' });
        await client.delete(PODS, pod.metadata, uid === undefined ? {} : { preconditions: { uid } });
      } catch (error) {
        if (isApiError(error, 'NotFound')) return;
        throw error;
      }
      const message = `Marking for deletion Pod ${keyOf(pod)}`;
      events.normal(PODS, pod, 'TaintManagerEviction', message);
    }

    return running;
  },
};
