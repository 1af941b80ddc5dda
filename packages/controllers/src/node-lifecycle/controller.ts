import { aborted, runInBackground } from '@ballast/base';
import {
  isApiError,
  isPodReady,
  isPodTerminal,
  LEASES,
  type Lease,
  NODES,
  type Node,
  PODS,
  type Pod,
  startInformer,
} from '@ballast/kube';
import { timeOf } from '../conditions.ts';
import type { Controller } from '../controller.ts';
import { EvictionBudget } from './eviction-budget.ts';
import { NodeHealth } from './health.ts';
import { type NodeChange, planNodes } from './plan.ts';

const LEASE_NAMESPACE = 'kube-node-lease';

/** Notices nodes that fall silent, says so in their conditions and taints, and takes their pods out of Services at once. */
export const nodeLifecycleController: Controller = {
  name: 'nodelifecycle',
  start(context) {
    const { client, clock, events, settings } = context;
    const logger = context.logger.child({ controller: 'nodelifecycle' });
    const { gracePeriodMs, checkPeriodMs, evictionsPerSecond } = settings.nodes;
    const nodes = context.informers.of(NODES);
    const pods = context.informers.of(PODS);
    const leases = startInformer(client, LEASES, { namespace: LEASE_NAMESPACE, logger, clock });
    const health = new NodeHealth();
    const budget = new EvictionBudget({ perSecond: evictionsPerSecond });
    /** Nodes whose pods have been marked since the node was last ready. */
    const emptied = new Set<string>();
    let checkedMs = clock.monotonicMs();
    let wake = () => {};

    const observeLease = (lease: Lease) =>
      health.observe(lease.metadata.name, lease.spec?.renewTime, clock.monotonicMs());
    leases.onChange(({ object, type }) => {
      if (type !== 'deleted') observeLease(object);
    });
    nodes.onChange((event) => {
      const { name } = event.object.metadata;
      if (event.type === 'deleted') health.forget(name);
      else health.observe(name, leases.get(`${LEASE_NAMESPACE}/${name}`)?.spec?.renewTime, clock.monotonicMs());
      // A node that reports a change itself, or is cordoned, need not wait for the next check.
      if (event.type !== 'modified' || JSON.stringify(facts(event.previous)) !== JSON.stringify(facts(event.object))) {
        wake();
      }
    });

    /** True when silence is the nodes' own: the API answers, and this process has not been standing still. */
    async function canJudge(): Promise<boolean> {
      const nowMs = clock.monotonicMs();
      const stoodStill = nowMs - checkedMs > gracePeriodMs / 2;
      checkedMs = nowMs;
      if (stoodStill) return false;
      if (leases.silentMs < 2 * checkPeriodMs) return true;
      try {
        // The watch says nothing: either no node does, or the watch is broken. A direct answer decides.
        const { items } = await client.list(LEASES, { namespace: LEASE_NAMESPACE });
        for (const lease of items) observeLease(lease);
        return true;
      } catch (error) {
        logger.debug('leases cannot be read, no node is judged', { error });
        return false;
      }
    }

    async function check(): Promise<void> {
      if (!(await canJudge())) {
        health.forgive(clock.monotonicMs());
        return;
      }
      const nowMs = clock.monotonicMs();
      const silentMs = (name: string) => health.silentMs(name, nowMs);
      const changes = planNodes({
        nodes: nodes.list(),
        silentMs,
        gracePeriodMs,
        nowMs: clock.nowMs(),
        mayEvict: budget.at(
          nowMs,
          nodes.list(),
          (node) =>
            silentMs(node.metadata.name) <= gracePeriodMs &&
            node.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True',
        ),
      });
      const notReady = new Set(
        changes.filter(({ losesPods }) => losesPods !== 'no').map(({ node }) => node.metadata.name),
      );
      for (const name of emptied) if (!notReady.has(name)) emptied.delete(name);
      const results = await Promise.allSettled(changes.map(carryOut));
      for (const result of results) {
        if (result.status === 'fulfilled' || isApiError(result.reason, 'Conflict', 'NotFound')) continue;
        logger.warn('updating a node failed, trying again', { error: result.reason });
      }
    }

    async function carryOut(change: NodeChange): Promise<void> {
      const { node } = change;
      const { name, resourceVersion } = node.metadata;
      // Pods first: each moment until then, Services send requests into the void.
      if (change.losesPods === 'always' || (change.losesPods === 'once' && !emptied.has(name))) {
        if (await markPodsNotReady(name)) emptied.add(name);
      }
      let version = resourceVersion;
      if (change.conditions) {
        const body = { metadata: { resourceVersion: version }, status: { conditions: change.conditions } };
        const written = await client.patch(NODES, { name }, { type: 'merge', body }, { subresource: 'status' });
        version = written.metadata.resourceVersion;
        const message = `Node ${name} status is now: NodeNotReady`;
        events.normal(NODES, node, 'NodeNotReady', message);
        logger.info('node fell silent', { node: name });
      }
      if (change.taints) {
        const body = { metadata: { resourceVersion: version }, spec: { taints: change.taints } };
        await client.patch(NODES, { name }, { type: 'merge', body });
      }
    }

    /** False when one of them changed a moment ago and has to be looked at again. */
    async function markPodsNotReady(node: string): Promise<boolean> {
      const ready = [...pods.byIndex('node', node)].filter((pod) => isPodReady(pod) && !isPodTerminal(pod));
      return (await Promise.all(ready.map(markNotReady))).every(Boolean);
    }

    async function markNotReady(pod: Pod): Promise<boolean> {
      const conditions = (pod.status?.conditions ?? []).map((condition) =>
        condition.type === 'Ready'
          ? {
              ...condition,
              status: 'False' as const,
              reason: 'NodeNotReady',
              message: 'The node of this pod is not ready',
              lastTransitionTime: timeOf(clock.nowMs()),
            }
          : condition,
      );
      const { resourceVersion } = pod.metadata;
      try {
        await client.patch(
          PODS,
          pod.metadata,
          { type: 'merge', body: { metadata: { resourceVersion }, status: { conditions } } },
          { subresource: 'status' },
        );
        return true;
      } catch (error) {
        if (!isApiError(error, 'NotFound', 'Conflict')) throw error;
        return isApiError(error, 'NotFound');
      }
    }

    return runInBackground(async (signal) => {
      await using _leases = leases;
      await Promise.race([Promise.all([nodes.synced, pods.synced, leases.synced]), aborted(signal)]);
      health.forgive(clock.monotonicMs());
      checkedMs = clock.monotonicMs();
      while (!signal.aborted) {
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        await check();
        await Promise.race([woken, clock.sleep(checkPeriodMs, signal)]).catch(() => {});
      }
    });
  },
};

/** What of a node decides about its taints. */
const facts = (node: Node) => [
  node.spec?.unschedulable,
  node.spec?.taints,
  node.status?.conditions?.map(({ type, status }) => [type, status]),
];
