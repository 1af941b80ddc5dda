import {
  Backoff,
  type Clock,
  type Logger,
  type MetricsRegistry,
  messageOf,
  parseCidr,
  type Running,
  runInBackground,
} from '@ballast/base';
import {
  ENDPOINT_SLICES,
  EventRecorder,
  type KubeClient,
  NODES,
  type Node,
  SERVICES,
  startInformer,
} from '@ballast/kube';
import { PROXY_NAME_LABEL } from './compile.ts';
import { type Dataplane, kernelDataplane } from './dataplane.ts';
import type { Family } from './element.ts';
import { HealthCheckServers } from './health-check-server.ts';
import { Ledger } from './ledger.ts';
import { declareMetrics } from './metrics.ts';
import { Programmer } from './programmer.ts';
import { ServiceTracker } from './service-tracker.ts';

export interface ServiceProxyOptions {
  readonly client: KubeClient;
  readonly nodeName: string;
  /** The node's primary addresses: where node ports answer. */
  readonly nodeIps: readonly string[];
  /** Prefix of all pods, or two of them joined by a comma (one per family). */
  readonly clusterCidr: string;
  /** Prefix of ClusterIPs, or two joined by a comma. Services are programmed in these families. */
  readonly serviceCidr: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: MetricsRegistry;
  /** The kernel; replaced in tests. The proxy disposes of it. */
  readonly dataplane?: Dataplane & Disposable;
}

/** A running proxy. */
export interface ServiceProxy extends Running {
  /** Resolves when the kernel first holds all Services. */
  readonly programmed: Promise<void>;
  /** Tells which nodes are dead as far as their neighbours can see; replaces what was told before. */
  setLostNodes(nodes: ReadonlySet<string>): void;
}

/** While changes keep coming, those within this time become one transaction; the first after a pause goes at once. */
const COALESCE_MS = 5;
/** How often the table is looked at for changes by others. */
const VERIFY_MS = 1000;
/** Everything is written anew this often, as a last line of defence. */
const FULL_SYNC_MS = 3_600_000;
/** A proxy that could not write for so long says that it is unhealthy. */
const UNHEALTHY_AFTER_MS = 60_000;

/** Starts the Service proxy of one node: Services and EndpointSlices to nftables. It needs CAP_NET_ADMIN, nft and conntrack. */
export function startServiceProxy(options: ServiceProxyOptions): ServiceProxy {
  const { client, nodeName, clock } = options;
  const logger = options.logger.child({ room: 'proxy' });
  const metrics = declareMetrics(options.metrics);
  const podCidrs = splitByFamily(options.clusterCidr);
  const serviceCidrs = splitByFamily(options.serviceCidr);
  const families = ([4, 6] as const).filter((family) => serviceCidrs[family].length > 0);
  let lostNodes: ReadonlySet<string> = new Set();
  const view = (node?: Node) => ({
    nodeName,
    zone: node?.metadata.labels?.['topology.kubernetes.io/zone'],
    nodeAddresses: options.nodeIps,
    families,
    lostNodes,
  });

  const dataplane = options.dataplane ?? kernelDataplane();
  const tracker = new ServiceTracker(view());
  const ledger = new Ledger();
  const programmer = new Programmer({
    ledger,
    families,
    networks: (family) => ({ podCidrs: podCidrs[family], serviceCidrs: serviceCidrs[family] }),
    dataplane,
    logger,
    clock,
    metrics,
  });
  options.metrics.gaugeOf(
    { name: 'ballast_proxy_services', help: 'Services that packets are sent to.' },
    () => tracker.services,
  );

  const wake = new WakeUp();
  const informerOptions = { logger, clock };
  const services = startInformer(client, SERVICES, { ...informerOptions, labelSelector: `!${PROXY_NAME_LABEL}` });
  const slices = startInformer(client, ENDPOINT_SLICES, {
    ...informerOptions,
    labelSelector: `!${PROXY_NAME_LABEL},!service.kubernetes.io/headless`,
  });
  const nodes = startInformer(client, NODES, { ...informerOptions, fieldSelector: `metadata.name=${nodeName}` });
  let current = view();
  services.onChange((event) => {
    tracker.onService(event);
    wake.up();
  });
  slices.onChange((event) => {
    tracker.onSlice(event);
    wake.up();
  });
  nodes.onChange(({ type, object }) => {
    const next = view(object);
    if (type === 'deleted' || next.zone === current.zone) return;
    current = next;
    tracker.setNode(current);
    wake.up();
  });

  /** Since when writes have been failing. */
  let failingSinceMs: number | undefined;
  const recorder = new EventRecorder({ client, clock, logger, component: 'ballast-proxy' });
  const healthChecks = new HealthCheckServers({
    logger,
    isProxyHealthy: () => failingSinceMs === undefined || clock.monotonicMs() - failingSinceMs < UNHEALTHY_AFTER_MS,
    onFailure: ({ namespace, name, port }, error) => {
      const object = services.get(`${namespace}/${name}`);
      if (!object) return;
      const message = `node ${nodeName} cannot open health check port ${port}: ${error.message}`;
      const involved = { ...object, apiVersion: 'v1', kind: 'Service' };
      recorder.record({ object: involved, type: 'Warning', reason: 'FailedToStartServiceHealthcheck', message });
    },
  });

  const programmed = Promise.withResolvers<void>();
  programmed.promise.catch(() => {});
  const running = runInBackground(async (signal) => {
    // A write before everything is known would cut off the Services that are not known yet.
    await abortable(Promise.all([services.synced, slices.synced, nodes.synced]), signal);
    const backoff = new Backoff({ minMs: 100, maxMs: 30_000 });
    let verifiedMs = clock.monotonicMs();
    let fullMs = verifiedMs;
    while (!signal.aborted) {
      try {
        const startMs = clock.monotonicMs();
        if (startMs - fullMs >= FULL_SYNC_MS) {
          programmer.distrust();
          fullMs = startMs;
        }
        tracker.compile(ledger);
        const triggersMs = tracker.takeTriggersMs();
        await programmer.sync(signal);
        for (const atMs of triggersMs) metrics.programmingSeconds.observe(Math.max(0, clock.nowMs() - atMs) / 1000);
        healthChecks.update(tracker.healthChecks());
        programmed.resolve();
        if (clock.monotonicMs() - verifiedMs >= VERIFY_MS) {
          await programmer.verify(signal);
          verifiedMs = clock.monotonicMs();
        }
        failingSinceMs = undefined;
        backoff.reset();
        await wake.wait(clock, verifiedMs + VERIFY_MS - clock.monotonicMs(), signal);
        if (clock.monotonicMs() - startMs < 4 * COALESCE_MS) await clock.sleep(COALESCE_MS, signal);
      } catch (error) {
        if (signal.aborted) return;
        failingSinceMs ??= clock.monotonicMs();
        const delayMs = backoff.next();
        logger.error('cannot program Services', { error: messageOf(error), retryMs: Math.round(delayMs) });
        await clock.sleep(delayMs, signal);
      }
    }
  });

  return {
    done: running.done,
    programmed: programmed.promise,
    setLostNodes(lost) {
      if (lost.symmetricDifference(lostNodes).size === 0) return;
      lostNodes = lost;
      logger.info('nodes lost from sight', { nodes: [...lost] });
      current = { ...current, lostNodes };
      tracker.setNode(current);
      wake.up();
    },
    async [Symbol.asyncDispose]() {
      // The table stays: a proxy that is being replaced must not interrupt anybody.
      await running[Symbol.asyncDispose]();
      await healthChecks[Symbol.asyncDispose]();
      dataplane[Symbol.dispose]();
      for (const informer of [services, slices, nodes]) await informer[Symbol.asyncDispose]();
    },
  };
}

/** Lets a loop sleep until there is something to do. */
class WakeUp {
  #pending = false;
  #resolve: (() => void) | undefined;

  up(): void {
    this.#pending = true;
    this.#resolve?.();
  }

  async wait(clock: Clock, timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#pending) {
      const woken = new Promise<void>((resolve) => {
        this.#resolve = resolve;
      });
      using _timer = clock.timer(Math.max(0, timeoutMs), () => this.#resolve?.());
      await abortable(woken, signal);
    }
    this.#pending = false;
    this.#resolve = undefined;
  }
}

function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function splitByFamily(cidrs: string): Readonly<Record<Family, readonly string[]>> {
  const all = cidrs
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '');
  return {
    4: all.filter((text) => parseCidr(text)?.ip.family === 4),
    6: all.filter((text) => parseCidr(text)?.ip.family === 6),
  };
}
