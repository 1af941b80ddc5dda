import { type Clock, formatIp, type Logger, type MetricsRegistry, type Running, runInBackground } from '@ballast/base';
import {
  EventRecorder,
  type Informer,
  isApiError,
  type KubeClient,
  keyOf,
  NAMESPACES,
  type Namespace,
  runController,
  SERVICES,
  type Service,
  splitKey,
  startInformer,
  WorkQueue,
} from '@ballast/kube';
import { Allocator } from '../allocation/allocator.ts';
import { decideService, isOurs, statusAddresses } from '../allocation/decide-service.ts';
import { POOL_ANNOTATION, parseServiceRequest } from '../allocation/service-request.ts';
import { formatProblem, writeState } from '../configuration/configuration-state.ts';
import { parseConfiguration } from '../configuration/parse-configuration.ts';
import { ProblemEvents } from '../configuration/problem-events.ts';
import { ensureMemberKey } from '../membership/member-key.ts';
import { CONFIGURATION_STATES, IP_ADDRESS_POOLS, type IpAddressPool, METALLB_NAMESPACE } from '../resources/kinds.ts';
import { type ControllerMetrics, declareControllerMetrics } from './controller-metrics.ts';

export interface AddressControllerOptions {
  readonly client: KubeClient;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: MetricsRegistry;
  /** Serve Services of this class only; when absent, those without any. */
  readonly loadBalancerClass?: string;
}

/** Keys of the queue: a Service by its own key, and two that stand for more. */
const POOLS = '*pools';
const STATE = '*state';
const MEMBER_KEY = '*member-key';
/** Pool counters follow Services with this delay, so that a thousand new Services cost one write per pool. */
const POOL_STATUS_DELAY_MS = 100;

/**
 * Gives addresses to Services of type LoadBalancer. Nothing is allocated before every Service that has addresses was seen, so a restart
 * changes no address.
 */
export function startAddressController(options: AddressControllerOptions): Running {
  const logger = options.logger.child({ component: 'address-controller' });
  return runInBackground(async (signal) => {
    const common = { logger, clock: options.clock };
    await using services = startInformer(options.client, SERVICES, common);
    await using namespaces = startInformer(options.client, NAMESPACES, common);
    await using pools = startInformer(options.client, IP_ADDRESS_POOLS, { ...common, namespace: METALLB_NAMESPACE });
    await using states = startInformer(options.client, CONFIGURATION_STATES, {
      ...common,
      namespace: METALLB_NAMESPACE,
    });
    await untilSynced([services, namespaces, pools, states], signal);
    const queue = new WorkQueue(options.clock);
    const controller = new AddressController({ ...options, logger, services, namespaces, pools, queue });
    controller.begin();
    services.onChange((event) => queue.add(keyOf(event.object)));
    namespaces.onChange(() => queue.add(POOLS));
    pools.onChange(() => queue.add(POOLS));
    states.onChange((event) => {
      if (event.object.metadata.name === 'controller') queue.add(STATE);
    });
    queue.add(POOLS);
    queue.add(MEMBER_KEY);
    await using loop = runController({
      name: 'load-balancer-addresses',
      queue,
      logger,
      reconcile: (key) => controller.reconcile(key),
    });
    await Promise.race([loop.done, ended(signal)]);
  });
}

/** Waits until all copies are complete. Throws the abort reason when stopped before. */
async function untilSynced(
  informers: readonly { readonly synced: Promise<void> }[],
  signal: AbortSignal,
): Promise<void> {
  await Promise.race([Promise.all(informers.map(({ synced }) => synced)), ended(signal)]);
  signal.throwIfAborted();
}

function ended(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

interface Parts extends AddressControllerOptions {
  readonly services: Informer<Service>;
  readonly namespaces: Informer<Namespace>;
  readonly pools: Informer<IpAddressPool>;
  readonly queue: WorkQueue;
}

class AddressController {
  readonly #parts: Parts;
  readonly #allocator = new Allocator();
  readonly #metrics: ControllerMetrics;
  readonly #recorder: EventRecorder;
  readonly #problemEvents: ProblemEvents;
  #problems: readonly string[] = [];
  #configurationKey = '';
  #poolNames: readonly string[] = [];

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#metrics = declareControllerMetrics(parts.metrics);
    this.#recorder = new EventRecorder({ ...parts, component: 'metallb-controller' });
    this.#problemEvents = new ProblemEvents(this.#recorder);
  }

  /** Learns what Services hold already. */
  begin(): void {
    this.#configure();
    const holders = [...this.#parts.services.list()].filter((service) =>
      isOurs(service, this.#parts.loadBalancerClass),
    );
    const age = (service: Service) => service.metadata.creationTimestamp ?? '';
    holders.sort((a, b) => (age(a) < age(b) ? -1 : age(a) > age(b) ? 1 : 0));
    for (const service of holders) {
      const addresses = statusAddresses(service) ?? [];
      const request = parseServiceRequest(service);
      if (addresses.length > 0 && !('problem' in request)) this.#allocator.assign(request, addresses);
    }
  }

  async reconcile(key: string): Promise<void> {
    this.#metrics.updates.inc();
    try {
      if (key === MEMBER_KEY) await ensureMemberKey(this.#parts.client);
      else if (key === STATE) await this.#writeState();
      else if (key === POOLS) await this.#reconcilePools();
      else await this.#reconcileService(key);
    } catch (error) {
      if (!isApiError(error, 'Conflict')) this.#metrics.updateErrors.inc();
      throw error;
    }
  }

  /** Reads the configuration; true when it differs from the one before. */
  #configure(): boolean {
    const { pools, namespaces } = this.#parts;
    const none: never[] = [];
    const configuration = parseConfiguration({
      pools: pools.list(),
      l2Advertisements: none,
      bgpAdvertisements: none,
      peers: none,
      bfdProfiles: none,
      communities: none,
      secretOf: () => undefined,
    });
    this.#problems = configuration.problems.map(formatProblem);
    this.#problemEvents.tell(configuration.problems);
    this.#metrics.configLoaded.set(1);
    this.#metrics.configStale.set(configuration.problems.length > 0 ? 1 : 0);
    const key = JSON.stringify([
      configuration.pools.map((pool) => [
        pool.name,
        pool.ranges.map(({ text }) => text),
        pool.autoAssign,
        pool.avoidBuggyIps,
        pool.allocation,
      ]),
      [...namespaces.list()].map(({ metadata }) => [metadata.name, metadata.labels]),
    ]);
    if (key === this.#configurationKey) return false;
    this.#configurationKey = key;
    const gone = this.#poolNames.filter((name) => !configuration.pools.some((pool) => pool.name === name));
    for (const name of gone) this.#metrics.hidePool(name);
    this.#poolNames = configuration.pools.map(({ name }) => name);
    this.#allocator.configure({
      pools: configuration.pools,
      labelsOfNamespace: (name) => namespaces.get(name)?.metadata.labels ?? {},
    });
    return true;
  }

  async #reconcilePools(): Promise<void> {
    if (this.#configure()) {
      for (const service of this.#parts.services.list()) this.#parts.queue.add(keyOf(service));
    }
    for (const object of this.#parts.pools.list()) {
      const use = this.#allocator.useOf(object.metadata.name);
      if (!use) continue;
      this.#metrics.showPool(object.metadata.name, use);
      const status = {
        assignedIPv4: use.used[4],
        assignedIPv6: use.used[6],
        availableIPv4: use.size[4] - use.used[4],
        availableIPv6: use.size[6] - use.used[6],
      };
      const old = object.status;
      const same =
        old?.assignedIPv4 === status.assignedIPv4 &&
        old.assignedIPv6 === status.assignedIPv6 &&
        old.availableIPv4 === status.availableIPv4 &&
        old.availableIPv6 === status.availableIPv6;
      if (same) continue;
      const ref = { namespace: METALLB_NAMESPACE, name: object.metadata.name };
      try {
        await this.#parts.client.patch(
          IP_ADDRESS_POOLS,
          ref,
          { type: 'merge', body: { status } },
          { subresource: 'status' },
        );
      } catch (error) {
        // A pool that was deleted meanwhile has no status to keep.
        if (!isApiError(error, 'NotFound')) throw error;
      }
    }
    await this.#writeState();
  }

  #writeState(): Promise<void> {
    return writeState(this.#parts.client, this.#parts.clock, {
      name: 'controller',
      labels: { 'metallb.io/component-type': 'controller' },
      conditions: [{ type: 'poolReconcilerValid', problems: this.#problems }],
    });
  }

  async #reconcileService(key: string): Promise<void> {
    const service = this.#parts.services.get(key);
    if (
      !service ||
      service.metadata.deletionTimestamp !== undefined ||
      !isOurs(service, this.#parts.loadBalancerClass)
    ) {
      const released = this.#allocator.release(key);
      if (released) this.#addressFreed();
      const wasOurs =
        service?.metadata.annotations?.[POOL_ANNOTATION] !== undefined &&
        service.metadata.deletionTimestamp === undefined;
      if (service && (released || wasOurs)) await this.#write(service, { addresses: [], pool: undefined });
      return;
    }
    const before = this.#allocator.allocationOf(key);
    const decision = decideService(service, this.#allocator);
    const withKind = { ...service, apiVersion: 'v1', kind: 'Service' };
    for (const event of decision.events) this.#recorder.record({ object: withKind, ...event });
    const after = this.#allocator.allocationOf(key);
    if (before && before !== after) this.#addressFreed();
    else if (before !== after) this.#parts.queue.addAfter(POOLS, POOL_STATUS_DELAY_MS);
    await this.#write(service, { addresses: decision.addresses.map(formatIp), pool: decision.pool });
  }

  /** Services that wait for an address get another chance. */
  #addressFreed(): void {
    this.#parts.queue.addAfter(POOLS, POOL_STATUS_DELAY_MS);
    for (const service of this.#parts.services.list()) {
      if (!isOurs(service, this.#parts.loadBalancerClass)) continue;
      if ((service.status?.loadBalancer?.ingress ?? []).length === 0) this.#parts.queue.add(keyOf(service));
    }
  }

  async #write(
    service: Service,
    wanted: { readonly addresses: readonly string[]; readonly pool: string | undefined },
  ): Promise<void> {
    const { client } = this.#parts;
    const ref = splitKey(keyOf(service));
    const held = (service.status?.loadBalancer?.ingress ?? []).map(({ ip, hostname }) => ip ?? hostname ?? '');
    try {
      if (held.join() !== wanted.addresses.join()) {
        const ingress = wanted.addresses.map((ip) => ({ ip }));
        const { resourceVersion } = service.metadata;
        const body = {
          metadata: { resourceVersion },
          status: { loadBalancer: wanted.addresses.length > 0 ? { ingress } : { ingress: null } },
        };
        await client.patch(SERVICES, ref, { type: 'merge', body }, { subresource: 'status' });
      }
      if (service.metadata.annotations?.[POOL_ANNOTATION] !== wanted.pool) {
        const body = { metadata: { annotations: { [POOL_ANNOTATION]: wanted.pool ?? null } } };
        await client.patch(SERVICES, ref, { type: 'merge', body });
      }
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error;
    }
  }
}
