import {
  aborted,
  type Clock,
  type Logger,
  MetricsRegistry,
  messageOf,
  type Running,
  runInBackground,
} from '@ballast/base';
import {
  EventRecorder,
  type Informer,
  isApiError,
  type KubeClient,
  keyOf,
  NAMESPACES,
  NODES,
  type Node,
  PODS,
  type Pod,
  SERVICES,
  startInformer,
} from '@ballast/kube';
import { Cluster } from './cluster.ts';
import { type Decision, decide } from './decide.ts';
import { schedulerMetrics } from './metrics.ts';
import { placedPod } from './node-info.ts';
import type { ClusterEvent } from './plugin.ts';
import { isWaitingForVictims, planPreemption, preemptionMessage } from './preemption.ts';
import { SchedulingQueue } from './queue.ts';

export const SCHEDULER_NAME = 'default-scheduler';

/** Bindings under way at a time. */
const MAX_BINDINGS = 64;

/** After this much work without a break, other work (bindings, watches) gets its turn. */
const SLICE_MS = 5;

export interface SchedulerOptions {
  readonly client: KubeClient;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics?: MetricsRegistry;
  /** spec.schedulerName of the pods to place. */
  readonly schedulerName?: string;
  /** Breaks ties between nodes. */
  readonly random?: () => number;
}

/** Gives every pod that has no node the best one. */
export function startScheduler(options: SchedulerOptions): Running {
  const { client, clock, random = Math.random } = options;
  const schedulerName = options.schedulerName ?? SCHEDULER_NAME;
  const logger = options.logger.child({ component: 'scheduler' });
  const events = new EventRecorder({ client, clock, logger, component: schedulerName });
  const cluster = new Cluster();
  const queue = new SchedulingQueue();
  const metrics = schedulerMetrics(options.metrics ?? new MetricsRegistry(), () => ({
    active: queue.activeSize,
    all: queue.size,
  }));
  let wake = () => {};
  let bindings = 0;
  let startAt = 0;

  const happened = (event: ClusterEvent) => {
    queue.wake(event, clock.monotonicMs());
    wake();
  };

  function followPods(pods: Informer<Pod>): void {
    pods.onChange((event) => {
      const { object: pod } = event;
      const key = keyOf(pod);
      if (event.type === 'deleted') {
        queue.remove(key);
        cluster.removePod(pod);
        happened('pod-left');
        return;
      }
      const wasPlaced = cluster.isPlaced(key);
      cluster.setPod(pod);
      if (isMine(pod) && !cluster.isPlaced(key)) {
        queue.put(pod, clock.monotonicMs());
        wake();
        return;
      }
      queue.remove(key);
      if (wasPlaced && !cluster.isPlaced(key)) happened('pod-left');
      else if (!wasPlaced) happened('pod-placed');
      else if (event.type === 'modified' && labelsOf(event.previous) !== labelsOf(pod)) happened('pod-changed');
    });
  }

  function followNodes(nodes: Informer<Node>): void {
    nodes.onChange((event) => {
      const { object: node } = event;
      if (event.type === 'deleted') {
        cluster.removeNode(node.metadata.name);
        return;
      }
      cluster.setNode(node);
      if (event.type === 'added') happened('node-added');
      else if (nodeFacts(event.previous) !== nodeFacts(node)) happened('node-changed');
    });
  }

  /** A pod without a node that is ours, may start, and is not on its way out. */
  function isMine(pod: Pod): boolean {
    return (
      !pod.spec?.nodeName &&
      (pod.spec?.schedulerName ?? SCHEDULER_NAME) === schedulerName &&
      (pod.spec?.schedulingGates?.length ?? 0) === 0 &&
      pod.metadata.deletionTimestamp === undefined
    );
  }

  function scheduleOne(pod: Pod, attempts: number): void {
    const placed = placedPod(pod);
    const startedMs = clock.monotonicMs();
    const decision = decide({ placed, cluster, random, startAt });
    startAt += 1;
    metrics.decisionSeconds.observe((clock.monotonicMs() - startedMs) / 1000);
    if (decision.kind === 'node') {
      cluster.assume(pod, decision.node);
      bindings += 1;
      void bind(pod, decision.node, attempts).finally(() => {
        bindings -= 1;
        wake();
      });
      return;
    }
    metrics.attempts.inc(['unschedulable']);
    queue.park(pod, attempts + 1, decision.refusedBy, clock.monotonicMs());
    void reportFailure(pod, decision);
  }

  async function bind(pod: Pod, node: string, attempts: number): Promise<void> {
    const { name, namespace, uid } = pod.metadata;
    const startedMs = clock.monotonicMs();
    const binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name, namespace, uid },
      target: { apiVersion: 'v1', kind: 'Node', name: node },
    };
    try {
      await client.create(PODS, binding as Pod, { subresource: 'binding' });
    } catch (error) {
      metrics.attempts.inc(['error']);
      cluster.forget(pod);
      happened('pod-left');
      // Deleted, or placed by somebody else: the watch tells.
      if (isApiError(error, 'NotFound')) return;
      if (isApiError(error, 'Conflict') && (await client.find(PODS, pod.metadata).catch(() => pod))?.spec?.nodeName)
        return;
      logger.warn('binding failed, trying again', { pod: keyOf(pod), node, error });
      if (!cluster.isPlaced(keyOf(pod))) queue.backOff(pod, attempts + 1, clock.monotonicMs());
      return;
    }
    metrics.attempts.inc(['scheduled']);
    metrics.bindSeconds.observe((clock.monotonicMs() - startedMs) / 1000);
    note(pod, 'Normal', 'Scheduled', `Successfully assigned ${keyOf(pod)} to ${node}`);
    // The pod counts from now on, and others may have waited for it (affinity).
    happened('pod-placed');
  }

  async function reportFailure(pod: Pod, decision: Extract<Decision, { kind: 'none' }>): Promise<void> {
    try {
      const placed = placedPod(pod);
      const isWaiting = isWaitingForVictims(placed, cluster);
      const preemption = isWaiting ? undefined : planPreemption(placed, cluster, decision.preemptible);
      const helpless = isWaiting || preemption ? '' : preemptionMessage(cluster.nodeCount, decision.preemptible.length);
      const message = `${decision.message}${helpless}`;
      note(pod, 'Warning', 'FailedScheduling', message);
      if (preemption) await preempt(pod, preemption);
      await writeCondition(pod, message, preemption?.node);
    } catch (error) {
      if (!isApiError(error, 'NotFound', 'Conflict')) {
        logger.warn('a pod that fits nowhere could not be marked', { pod: keyOf(pod), error: messageOf(error) });
      }
    }
  }

  async function preempt(pod: Pod, { node, victims }: { node: string; victims: readonly Pod[] }): Promise<void> {
    for (const victim of victims) {
      if (victim.metadata.deletionTimestamp !== undefined) continue;
      const { uid } = victim.metadata;
      await client.delete(PODS, victim.metadata, uid === undefined ? {} : { preconditions: { uid } });
      metrics.preemptions.inc();
      note(victim, 'Normal', 'Preempted', `Preempted by pod ${pod.metadata.uid} on node ${node}`);
    }
  }

  async function writeCondition(pod: Pod, message: string, nominated: string | undefined): Promise<void> {
    const others = (pod.status?.conditions ?? []).filter(({ type }) => type !== 'PodScheduled');
    const known = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled');
    const nominatedNodeName = nominated ?? pod.status?.nominatedNodeName;
    if (known?.message === message && nominatedNodeName === pod.status?.nominatedNodeName) return;
    const now = new Date(clock.nowMs()).toISOString().replace(/\.\d+Z$/, 'Z');
    const lastTransitionTime = known?.status === 'False' ? known.lastTransitionTime : now;
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, lastTransitionTime };
    const status = {
      conditions: [...others, condition],
      ...(nominatedNodeName === undefined ? {} : { nominatedNodeName }),
    };
    const body = { metadata: { uid: pod.metadata.uid, resourceVersion: pod.metadata.resourceVersion }, status };
    await client.patch(PODS, pod.metadata, { type: 'merge', body }, { subresource: 'status' });
  }

  function note(pod: Pod, type: 'Normal' | 'Warning', reason: string, message: string): void {
    events.record({ object: { ...pod, apiVersion: 'v1', kind: 'Pod' }, type, reason, message });
  }

  return runInBackground(async (signal) => {
    await using copies = new AsyncDisposableStack();
    const nodes = copies.use(startInformer(client, NODES, { logger, clock }));
    const services = copies.use(startInformer(client, SERVICES, { logger, clock }));
    const namespaces = copies.use(startInformer(client, NAMESPACES, { logger, clock }));
    const pods = copies.use(startInformer(client, PODS, { logger, clock }));
    services.onChange(({ type, object }) => {
      if (type === 'deleted') cluster.removeService(object);
      else cluster.setService(object);
    });
    namespaces.onChange(({ type, object }) => {
      if (type === 'deleted') cluster.removeNamespace(object.metadata.name);
      else cluster.setNamespace(object);
      happened('namespace-changed');
    });
    followNodes(nodes);
    followPods(pods);
    const complete = Promise.all([nodes, services, namespaces, pods].map(({ synced }) => synced));
    await Promise.race([complete, aborted(signal)]);
    while (!signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      const startedMs = clock.monotonicMs();
      let isIdle = false;
      while (bindings < MAX_BINDINGS && clock.monotonicMs() - startedMs < SLICE_MS) {
        const next = queue.pop(clock.monotonicMs());
        if (!next) {
          isIdle = true;
          break;
        }
        try {
          scheduleOne(next.pod, next.attempts);
        } catch (error) {
          // One pod that cannot be judged must not stop all others.
          logger.error('no decision could be made about a pod, trying again', { pod: keyOf(next.pod), error });
          queue.backOff(next.pod, next.attempts + 1, clock.monotonicMs());
        }
      }
      if (!isIdle && bindings < MAX_BINDINGS) {
        await new Promise((resolve) => setImmediate(resolve));
        continue;
      }
      const nextMs = isIdle ? queue.nextMs() : undefined;
      await waitFor(woken, nextMs === undefined ? undefined : nextMs - clock.monotonicMs(), signal);
    }
  });

  /** Until something happens, or time has passed. */
  async function waitFor(woken: Promise<void>, delayMs: number | undefined, signal: AbortSignal): Promise<void> {
    if (delayMs === undefined) return Promise.race([woken, aborted(signal)]);
    const { promise, resolve } = Promise.withResolvers<void>();
    using _timer = clock.timer(Math.max(0, delayMs), resolve);
    await Promise.race([woken, promise, aborted(signal)]);
  }
}

const labelsOf = (pod: Pod): string => JSON.stringify([pod.metadata.labels, pod.metadata.deletionTimestamp]);

/** What of a node decides whether pods fit; status reports every few seconds change none of it. */
function nodeFacts({ metadata, spec, status }: Node): string {
  return JSON.stringify([metadata.labels, spec?.unschedulable, spec?.taints, status?.allocatable]);
}
