import { aborted, runInBackground } from '@ballast/base';
import { isApiError, keyOf, NODES, PODS } from '@ballast/kube';
import type { Controller } from '../controller.ts';
import { type DoomedPod, planPodCollection } from './plan.ts';

const PERIOD_MS = 10_000;

/** Removes pods that no node agent will ever finish removing. */
export const podGcController: Controller = {
  name: 'pod-garbage-collector',
  start(context) {
    const { client, clock } = context;
    const logger = context.logger.child({ controller: 'pod-garbage-collector' });
    const pods = context.informers.of(PODS);
    const nodes = context.informers.of(NODES);
    let wake = () => {};
    nodes.onChange(({ type }) => {
      if (type === 'deleted') wake();
    });

    async function collect(): Promise<void> {
      const gone = new Map<string, boolean>();
      for (const doomed of planPodCollection({ pods: pods.list(), node: nodes.get, nowMs: clock.nowMs() })) {
        if (doomed.reason === 'orphaned' && !(await isNodeGone(doomed, gone))) continue;
        await remove(doomed);
      }
    }

    /** The copy of the nodes may be behind the copy of the pods, so the server is asked; once for each node. */
    async function isNodeGone({ pod }: DoomedPod, known: Map<string, boolean>): Promise<boolean> {
      const name = pod.spec?.nodeName ?? '';
      const answer = known.get(name) ?? (await client.find(NODES, { name })) === undefined;
      known.set(name, answer);
      return answer;
    }

    async function remove({ pod, reason }: DoomedPod): Promise<void> {
      const { uid } = pod.metadata;
      try {
        await client.delete(PODS, pod.metadata, {
          gracePeriodSeconds: 0,
          ...(uid === undefined ? {} : { preconditions: { uid } }),
        });
        logger.info('pod removed', { pod: keyOf(pod), reason });
      } catch (error) {
        if (!isApiError(error, 'NotFound', 'Conflict')) throw error;
      }
    }

    return runInBackground(async (signal) => {
      await Promise.race([Promise.all([pods.synced, nodes.synced]), aborted(signal)]);
      while (!signal.aborted) {
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        await collect().catch((error: unknown) => logger.warn('collecting pods failed, trying again', { error }));
        await Promise.race([woken, clock.sleep(PERIOD_MS, signal)]).catch(() => {});
      }
    });
  },
};
