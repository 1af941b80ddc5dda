import { aborted, type Running, runInBackground } from '@ballast/base';
import { isApiError, type KubeClient, PODS, type Pod, type PodStatus } from '@ballast/kube';
import { nodeOf } from './daemon-set/placement.ts';

/**
 * What the scheduler and the node agents do for pods, for tests: a pod gets a node (in turn) and an address, becomes ready, and vanishes
 * when it is deleted. `ready` may keep a pod from becoming ready.
 */
export function startFakeAgents(options: {
  readonly client: KubeClient;
  /** Where pods without a node go, in turn; without any, somebody else schedules them. */
  readonly nodes?: readonly string[];
  readonly ready?: (pod: Pod) => boolean;
}): Running {
  const { client, nodes = [] } = options;
  let turn = 0;
  let address = 1;

  async function tend(pod: Pod): Promise<void> {
    const { metadata } = pod;
    if (metadata.deletionTimestamp !== undefined) {
      await client.delete(PODS, metadata, { gracePeriodSeconds: 0 });
      return;
    }
    if (!pod.spec?.nodeName) {
      if (nodes.length === 0) return;
      const nodeName = nodeOf(pod) ?? nodes[turn++ % nodes.length] ?? '';
      await client.patch(PODS, metadata, { type: 'merge', body: { spec: { nodeName } } });
      return;
    }
    const ready = options.ready?.(pod) ?? true;
    const isReady = pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
    if (pod.status?.podIP && ready === isReady) return;
    const podIP = pod.status?.podIP ?? `10.42.${address >> 8}.${address++ & 255}`;
    const lastTransitionTime = new Date().toISOString();
    const status: PodStatus = {
      phase: 'Running',
      podIP,
      podIPs: [{ ip: podIP }],
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime }],
    };
    await client.patch(PODS, metadata, { type: 'merge', body: { status } }, { subresource: 'status' });
  }

  return runInBackground(async (signal) => {
    const follow = async () => {
      for await (const event of client.watch(PODS, { sendInitialEvents: true, signal })) {
        if (event.type === 'BOOKMARK' || event.type === 'DELETED') continue;
        const current = await client.find(PODS, event.object.metadata);
        if (current) await tend(current).catch(ignoreRace);
      }
    };
    await Promise.race([follow(), aborted(signal)]);
  });
}

/** The pod has changed or gone since it was read: a later event tells. */
function ignoreRace(error: unknown): void {
  if (!isApiError(error, 'NotFound', 'Conflict')) throw error;
}
