import { randomInt } from 'node:crypto';
import { type Clock, hasCode, type Logger, MetricsRegistry, messageOf, type Running } from '@ballast/base';
import type { KubeClient } from '@ballast/kube';
import { supportsUdpBatch } from '@ballast/linux';
import { AnswerChanges } from '../chain/answer-changes.ts';
import { HttpEndpoints } from '../chain/http-endpoints.ts';
import { DnsMetrics } from '../chain/metrics.ts';
import type { ServerStatus } from '../chain/plugin.ts';
import { SharedResources } from '../chain/shared-resources.ts';
import type { Environment } from '../corefile/environment.ts';
import { formatProblem } from '../corefile/problem.ts';
import { localFiles } from '../corefile/source.ts';
import { PLUGINS } from '../plugins/index.ts';
import { batchedUdp } from '../transport/batched-udp.ts';
import { openTcp } from '../transport/tcp.ts';
import type { OpenTransport } from '../transport/transport.ts';
import { openUdp } from '../transport/udp.ts';
import { compileCorefile } from './compile.ts';
import { type CorefileFeed, type CorefileSpec, openCorefileFeed } from './corefile-feed.ts';
import { Generation } from './generation.ts';
import { Listeners, type OpenAddress } from './listeners.ts';
import { ReuseLedger } from './reuse-ledger.ts';

export interface DnsServerOptions {
  readonly corefile: CorefileSpec;
  /** Needed by the `kubernetes` plugin and for a Corefile in a ConfigMap. */
  readonly client?: KubeClient;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Address to listen on where the Corefile has no `bind`; every IPv4 and IPv6 address when absent. */
  readonly listenHost?: string;
  /** Port of keys without one; 53 when absent. */
  readonly defaultPort?: number;
  /** What `{$NAME}` in the Corefile refers to. */
  readonly environment?: Environment;
  readonly metrics?: MetricsRegistry;
  /** Threads that answer repeated questions over UDP by themselves, one by default. 0 does without, and so does a system other than Linux. */
  readonly udpWorkers?: number;
  /** How queries arrive, instead of UDP and TCP; for tests. */
  readonly transports?: readonly OpenTransport[];
}

export interface DnsServer extends Running {
  /** Where the server listens, with the ports that the system chose for port 0. */
  readonly addresses: readonly OpenAddress[];
  /** Reads the Corefile now. Resolves with what came of it; a bad Corefile leaves the old one at work. */
  reload(): Promise<'changed' | 'unchanged' | 'failed'>;
}

const DEFAULT_WORKERS = 1;
/** Longest wait for queries of a configuration that was replaced. */
const DRAIN_MS = 5000;

/**
 * Starts a DNS server from a Corefile. Rejects with a CorefileError that lists every problem, or with 'address-in-use' or
 * 'address-unusable' when it cannot listen. The API server may be down: names of the cluster are then answered with SERVFAIL until it is
 * there. Disposing stops it: first `health`'s lameduck time, then the sockets, then the plugins.
 */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  const server = new Server(options);
  try {
    await server.start();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

class Server implements DnsServer {
  readonly done: Promise<void>;
  readonly #options: DnsServerOptions;
  readonly #logger: Logger;
  readonly #feed: CorefileFeed;
  readonly #metrics: DnsMetrics;
  readonly #listeners: Listeners;
  readonly #http: HttpEndpoints;
  readonly #shared: SharedResources;
  readonly #changes: AnswerChanges;
  readonly #finished = Promise.withResolvers<void>();
  #generation: Generation | undefined;
  #failedDigest: string | undefined;
  #reloadTimer: Disposable | undefined;
  #reloadPlan: { intervalMs: number; jitterMs: number } | undefined;
  #reloading: Promise<unknown> = Promise.resolve();
  #stopping: Promise<void> | undefined;

  constructor(options: DnsServerOptions) {
    const { logger, clock, client } = options;
    this.#options = options;
    this.#logger = logger;
    this.#feed = openCorefileFeed(options.corefile, { client, logger, clock });
    this.#metrics = new DnsMetrics(options.metrics ?? new MetricsRegistry());
    this.#http = new HttpEndpoints({ logger, clock });
    this.#shared = new SharedResources(logger);
    this.#changes = new AnswerChanges(clock);
    this.#changes.subscribe((names) => this.#listeners.forgetBelow(names));
    const ledger = new ReuseLedger();
    const workers = supportsUdpBatch() ? (options.udpWorkers ?? DEFAULT_WORKERS) : 0;
    const onReused = (tally: string, times: number) => ledger.add(tally, times);
    const udp = workers > 0 ? batchedUdp({ workers, logger, onReused }) : openUdp;
    const openers = options.transports ?? [udp, openTcp];
    this.#listeners = new Listeners({ openers, logger, clock, metrics: this.#metrics, ledger });
    this.done = this.#finished.promise;
    this.#metrics.counter({
      name: 'reload_failed_total',
      help: 'Reloads that failed and left the old Corefile at work.',
    });
  }

  get addresses(): readonly OpenAddress[] {
    return this.#listeners.addresses;
  }

  async start(): Promise<void> {
    await this.#apply(await this.#feed.read());
    this.#feed.onChange(() => {
      if (this.#reloadPlan) void this.reload();
    });
    // What came in between the first read and now.
    if ('configMap' in this.#options.corefile) void this.reload();
  }

  reload(): Promise<'changed' | 'unchanged' | 'failed'> {
    const next = this.#reloading.then(() => this.#reloadNow());
    this.#reloading = next;
    return next;
  }

  async #reloadNow(): Promise<'changed' | 'unchanged' | 'failed'> {
    if (this.#stopping) return 'unchanged';
    try {
      return await this.#apply(await this.#feed.read());
    } catch (error) {
      this.#metrics.counter({ name: 'reload_failed_total', help: '' }).inc();
      this.#logger.error('the new Corefile is not used; the old one stays at work', {
        problems: messageOf(error).split('\n'),
      });
      return 'failed';
    } finally {
      this.#scheduleReload();
    }
  }

  async #apply(text: string): Promise<'changed' | 'unchanged'> {
    const { file } = this.#feed;
    const { environment, defaultPort } = this.#options;
    const plan = compileCorefile(text, {
      file,
      plugins: PLUGINS,
      source: localFiles,
      ...(environment ? { environment } : {}),
      ...(defaultPort === undefined ? {} : { defaultPort }),
    });
    if (plan.digest === this.#generation?.digest || plan.digest === this.#failedDigest) return 'unchanged';
    for (const warning of plan.warnings) this.#logger.warn(formatProblem(warning));
    this.#failedDigest = plan.digest;
    const before = this.#generation;
    const reloadBefore = this.#reloadPlan;
    this.#reloadPlan = undefined;
    let generation: Generation | undefined;
    try {
      const created = this.#create(plan);
      generation = created;
      await created.start();
      const closeOld = await this.#listenFor(created);
      this.#generation = created;
      this.#failedDigest = undefined;
      await this.#retire(before, closeOld);
    } catch (error) {
      this.#reloadPlan = reloadBefore;
      await generation?.stop(this.#stopFailed);
      throw error;
    }
    this.#reportVersion(plan.digest);
    this.#scheduleReload();
    return 'changed';
  }

  #create(plan: ConstructorParameters<typeof Generation>[0]): Generation {
    const { logger, clock, client, listenHost } = this.#options;
    const context = {
      logger,
      clock,
      client,
      metrics: this.#metrics,
      http: this.#http,
      shared: this.#shared,
      changes: this.#changes,
      random: () => randomInt(2 ** 40) / 2 ** 40,
      status: this.#status(),
    };
    const hosts = listenHost === undefined ? ['0.0.0.0', '::'] : [listenHost];
    return new Generation(plan, { context, hosts, askAt: (at) => this.#listeners.askAt(at) });
  }

  /** Without an address of its own to listen on, a machine without IPv6 still serves IPv4. */
  async #listenFor(generation: Generation): Promise<() => Promise<void>> {
    const wanted = generation.byAddress();
    try {
      return await this.#listeners.switchTo(wanted);
    } catch (error) {
      if (!hasCode(error, 'address-unusable')) throw error;
      const ipv4 = new Map([...wanted].filter(([, { at }]) => at.host !== '::'));
      if (ipv4.size === wanted.size || ipv4.size === 0) throw error;
      this.#logger.warn('IPv6 cannot be listened on; serving IPv4 only', { error: messageOf(error) });
      return await this.#listeners.switchTo(ipv4);
    }
  }

  async #retire(before: Generation | undefined, closeOld: () => Promise<void>): Promise<void> {
    if (!before) return;
    this.#generation?.replaceMetricsOf(before);
    const grace = new AbortController();
    await Promise.race([closeOld(), this.#options.clock.sleep(DRAIN_MS, grace.signal).catch(() => {})]);
    grace.abort();
    await before.stop(this.#stopFailed);
  }

  readonly #stopFailed = (plugin: string, error: string): void => {
    this.#logger.warn('a plugin did not stop cleanly', { plugin, error });
  };

  #status(): ServerStatus {
    const isStopping = () => this.#stopping !== undefined;
    return {
      unready: () => this.#generation?.unready() ?? [],
      get isStopping() {
        return isStopping();
      },
      setReload: (plan) => {
        this.#reloadPlan = plan;
      },
      listenAddress: (port) => {
        const host = this.#options.listenHost ?? '0.0.0.0';
        const actual = this.#listeners.portOf(host, port);
        const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
        return actual === undefined ? undefined : { host: reachable, port: actual };
      },
    };
  }

  #scheduleReload(): void {
    this.#reloadTimer?.[Symbol.dispose]();
    this.#reloadTimer = undefined;
    const plan = this.#reloadPlan;
    if (!plan || this.#stopping) return;
    const delayMs = plan.intervalMs + (Math.random() * 2 - 1) * plan.jitterMs;
    this.#reloadTimer = this.#options.clock.timer(delayMs, () => void this.reload());
  }

  #reportVersion(digest: string): void {
    const gauge = this.#metrics.gauge({
      name: 'reload_version_info',
      help: 'The Corefile at work.',
      labels: ['hash', 'value'],
    });
    if (this.#reportedDigest !== undefined) gauge.remove(['sha512', this.#reportedDigest]);
    gauge.set(1, ['sha512', digest]);
    this.#reportedDigest = digest;
    this.#logger.info('serving', {
      addresses: this.addresses.map(({ protocol, host, port }) => `${protocol} ${host} ${port}`),
    });
  }
  #reportedDigest: string | undefined;

  [Symbol.asyncDispose](): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#reloadTimer?.[Symbol.dispose]();
    // `isStopping` must be seen before anything lingers.
    await Promise.resolve();
    await this.#reloading.catch(() => {});
    await this.#generation?.linger();
    const grace = new AbortController();
    await Promise.race([this.#listeners.close(), this.#options.clock.sleep(DRAIN_MS, grace.signal).catch(() => {})]);
    grace.abort();
    await this.#generation?.stop(this.#stopFailed);
    await this.#feed[Symbol.asyncDispose]();
    this.#finished.resolve();
  }
}
