import { MetricsRegistry } from '@ballast/base';
import { verbOf } from './endpoints/resource-endpoint.ts';
import type { Exchange } from './http/exchange.ts';
import { parsePath } from './http/request-info.ts';
import type { Kernel } from './kernel.ts';

type Unidentified = Omit<Exchange, 'identity'>;

/** What upstream calls verbs in metrics, by the verb of authorisation. */
const SHOWN_VERBS: Readonly<Record<string, string>> = {
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
};

/** Answers that end when somebody wants them to: their duration says nothing about the server. */
const LONG_RUNNING: ReadonlySet<string> = new Set(['proxy', 'log', 'exec', 'attach', 'portforward']);

const LABELS = ['verb', 'group', 'version', 'resource', 'subresource', 'scope'] as const;
const DURATION_BUCKETS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 5, 10, 30, 60];

/** Metrics of the server in upstream's names, as dashboards and alerts for API servers ask for them. */
export class RequestMetrics {
  readonly #kernel: Kernel;
  readonly #registry = new MetricsRegistry();
  readonly #requests;
  readonly #seconds;
  readonly #running = new Map<string, { readonly labels: readonly string[]; count: number }>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    const { cache, store } = kernel;
    const registry = this.#registry;
    this.#requests = registry.counter({
      name: 'apiserver_request_total',
      help: 'Requests answered.',
      labels: [...LABELS, 'code'],
    });
    this.#seconds = registry.histogram({
      name: 'apiserver_request_duration_seconds',
      help: 'Time to answer, without watches and streams.',
      labels: LABELS,
      buckets: DURATION_BUCKETS,
    });
    registry.gaugeOf(
      { name: 'apiserver_longrunning_requests', help: 'Watches and streams under way.', labels: LABELS },
      () => Array.from(this.#running.values(), ({ labels, count }) => [labels, count] as const),
    );
    registry.gaugeOf({ name: 'apiserver_storage_objects', help: 'Objects stored.', labels: ['resource'] }, () =>
      Array.from(cache.resources, ([resource, { size }]) => [[resource], size] as const),
    );
    registry.gaugeOf({ name: 'ballast_store_revision', help: 'Revision of the last write.' }, () => store.revision);
    registry.gaugeOf(
      { name: 'ballast_store_compacted_revision', help: 'Oldest revision that can be read.' },
      () => store.compactedRevision,
    );
    registry.gaugeOf({ name: 'process_resident_memory_bytes', help: 'Resident memory.' }, () =>
      process.memoryUsage.rss(),
    );
    registry.gaugeOf({ name: 'process_cpu_seconds_total', help: 'CPU time of user and system.' }, () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    });
  }

  /** The text of /metrics. */
  expose(): string {
    return this.#registry.expose();
  }

  /** Counts what `answer` does; never in the way of it. */
  async observe(exchange: Unidentified, answer: () => Promise<void>): Promise<void> {
    const { labels, isLong } = this.#describe(exchange);
    const startedMs = this.#kernel.clock.monotonicMs();
    if (isLong) this.#addRunning(labels, 1);
    try {
      await answer();
    } finally {
      if (isLong) this.#addRunning(labels, -1);
      else this.#seconds.observe((this.#kernel.clock.monotonicMs() - startedMs) / 1000, labels);
      this.#requests.inc([...labels, String(exchange.response.statusCode)]);
    }
  }

  #addRunning(labels: readonly string[], by: number): void {
    const key = labels.join(' ');
    const known = this.#running.get(key);
    if (known) known.count += by;
    else this.#running.set(key, { labels, count: by });
  }

  /** Only names that the server knows become labels: what clients make up must not fill the memory. */
  #describe({ method, path, query }: Unidentified): { labels: readonly string[]; isLong: boolean } {
    const info = pathOf(path);
    const resource = info && this.#kernel.registry.find(info.group, info.version, info.plural);
    if (!info || !resource)
      return { labels: [METHODS.has(method) ? method : 'other', '', '', '', '', ''], isLong: false };
    const verb = verbOf(method, info, query);
    const { group, version, plural } = resource;
    const names = ['status', 'scale', ...LONG_RUNNING, ...resource.subresources.map(({ name }) => name)];
    const subresource = names.includes(info.subresource) ? info.subresource : '';
    const scope = info.name !== '' ? 'resource' : info.namespace !== '' ? 'namespace' : 'cluster';
    return {
      labels: [SHOWN_VERBS[verb] ?? 'other', group, version, plural, subresource, scope],
      isLong: verb === 'watch' || LONG_RUNNING.has(subresource),
    };
  }
}

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

/** Undefined for paths outside of resources, and for those that cannot be read: the answer says so. */
function pathOf(path: string) {
  try {
    const info = parsePath(path);
    return info.kind === 'resource' ? info : undefined;
  } catch {
    return undefined;
  }
}
