import { isApiError, keyOf, NODES, type Node } from '@ballast/kube';
import type { Controller } from '../controller.ts';
import { startReconciler } from '../start-reconciler.ts';
import { nodeRanges, PodCidrAllocator } from './allocate.ts';

/** Gives every node its own prefix for pods. It never changes while the node exists. */
export const nodeIpamController: Controller = {
  name: 'node-ipam',
  start(context) {
    const { client, events, settings } = context;
    const nodes = context.informers.of(NODES);
    const allocator = new PodCidrAllocator(nodeRanges(settings.clusterCidr, settings.nodeCidrPrefixLength));
    /** Given out, but not to be seen in the copy of the node yet. */
    const given = new Map<string, readonly string[]>();
    const { queue, running } = startReconciler({
      name: 'node-ipam',
      context,
      // One at a time, and only after all nodes are known: that is what makes prefixes distinct.
      workers: 1,
      needs: [nodes],
      reconcile: (key) => reconcile(key),
    });
    nodes.onChange((event) => {
      const { object } = event;
      const key = keyOf(object);
      if (event.type === 'deleted') {
        allocator.release([...podCidrsOf(object), ...(given.get(key) ?? [])]);
        given.delete(key);
        // Whoever went away empty-handed gets another chance.
        for (const node of nodes.list()) if (podCidrsOf(node).length === 0) queue.add(keyOf(node));
        return;
      }
      allocator.take(podCidrsOf(object));
      if (podCidrsOf(object).length === 0) queue.add(key);
      else given.delete(key);
    });

    async function reconcile(key: string): Promise<void> {
      const node = nodes.get(key);
      if (!node || podCidrsOf(node).length > 0 || node.metadata.deletionTimestamp !== undefined) return;
      const podCIDRs = given.get(key) ?? allocator.allocate();
      if (!podCIDRs) {
        const message = `Node ${key} status is now: CIDRNotAvailable`;
        events.normal(NODES, node, 'CIDRNotAvailable', message);
        throw new Error(`no free prefix for the pods of node ${key} in ${settings.clusterCidr}`);
      }
      given.set(key, podCIDRs);
      try {
        const body = { metadata: { uid: node.metadata.uid }, spec: { podCIDR: podCIDRs[0], podCIDRs } };
        await client.patch(NODES, { name: key }, { type: 'merge', body });
      } catch (error) {
        if (!isApiError(error, 'NotFound')) throw error;
      }
    }

    return running;
  },
};

function podCidrsOf(node: Node): readonly string[] {
  return node.spec?.podCIDRs ?? (node.spec?.podCIDR ? [node.spec.podCIDR] : []);
}
