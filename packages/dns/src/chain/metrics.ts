import type { Counter, Gauge, Histogram, MetricOptions, MetricsRegistry } from '@ballast/base';

/** CoreDNS's metric names start so; existing dashboards and alerts work unchanged. */
const PREFIX = 'coredns_';

/** Latency buckets of CoreDNS: 0.25 ms doubling, 16 of them, in seconds. */
export const DURATION_BUCKETS = Array.from({ length: 16 }, (_, i) => 0.00025 * 2 ** i);
export const SIZE_BUCKETS = [0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16e3, 32e3, 48e3, 64e3];

/**
 * The metrics of one server process. Several server blocks share a family: asking again for a name gives the same one. Names are given
 * without the prefix.
 */
export class DnsMetrics {
  readonly registry: MetricsRegistry;
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #readers = new Map<string, () => number>();
  readonly #histograms = new Map<string, Histogram>();

  constructor(registry: MetricsRegistry) {
    this.registry = registry;
  }

  counter(options: MetricOptions): Counter {
    return memo(this.#counters, options.name, () => this.registry.counter({ ...options, name: PREFIX + options.name }));
  }

  gauge(options: MetricOptions): Gauge {
    return memo(this.#gauges, options.name, () => this.registry.gauge({ ...options, name: PREFIX + options.name }));
  }

  /** A gauge that is read at each scrape; the reader that came last counts. */
  gaugeOf(options: Omit<MetricOptions, 'labels'>, read: () => number): void {
    const isNew = !this.#readers.has(options.name);
    this.#readers.set(options.name, read);
    if (!isNew) return;
    this.registry.gaugeOf({ ...options, name: PREFIX + options.name }, () => this.#readers.get(options.name)?.() ?? 0);
  }

  histogram(options: MetricOptions & { readonly buckets: readonly number[] }): Histogram {
    return memo(this.#histograms, options.name, () =>
      this.registry.histogram({ ...options, name: PREFIX + options.name }),
    );
  }
}

function memo<T>(known: Map<string, T>, name: string, create: () => T): T {
  let value = known.get(name);
  if (value === undefined) {
    value = create();
    known.set(name, value);
  }
  return value;
}
