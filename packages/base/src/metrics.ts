/** Label values in the order in which the metric declares its label names. */
export type LabelValues = readonly string[];

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly samples: () => Iterable<string>;
}

const escapeLabel = (value: string) => value.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`));

function labelText(names: readonly string[], values: LabelValues, extra?: string): string {
  const pairs = names.map((name, i) => `${name}="${escapeLabel(values[i] ?? '')}"`);
  if (extra) pairs.push(extra);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** NUL never occurs in a label value, so the joined text is a key. */
const keyOf = (values: LabelValues) => values.join('\u0000');
const valuesOf = (key: string, names: readonly string[]): LabelValues =>
  names.length === 0 ? [] : key.split('\u0000');

export interface Counter {
  inc(labels?: LabelValues, by?: number): void;
}

export interface Gauge {
  set(value: number, labels?: LabelValues): void;
  remove(labels: LabelValues): void;
}

export interface Histogram {
  /** `times` counts the same value more than once, for observers that report in bundles. */
  observe(value: number, labels?: LabelValues, times?: number): void;
}

export interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** Metrics of one process, shown in the Prometheus text exposition format 0.0.4. */
export class MetricsRegistry {
  readonly #families = new Map<string, Family>();

  counter(options: MetricOptions): Counter {
    const names = options.labels ?? [];
    const values = new Map<string, number>();
    if (names.length === 0) values.set('', 0);
    this.#add({ ...options, type: 'counter', samples: () => plainSamples(options.name, names, values) });
    return { inc: (labels = [], by = 1) => values.set(keyOf(labels), (values.get(keyOf(labels)) ?? 0) + by) };
  }

  gauge(options: MetricOptions): Gauge {
    const names = options.labels ?? [];
    const values = new Map<string, number>();
    this.#add({ ...options, type: 'gauge', samples: () => plainSamples(options.name, names, values) });
    return {
      set: (value, labels = []) => values.set(keyOf(labels), value),
      remove: (labels) => values.delete(keyOf(labels)),
    };
  }

  /** A gauge whose value is asked for at each scrape. */
  gaugeOf(options: MetricOptions, read: () => number | Iterable<readonly [LabelValues, number]>): void {
    const names = options.labels ?? [];
    this.#add({
      ...options,
      type: 'gauge',
      samples: () => {
        const result = read();
        const pairs: Iterable<readonly [LabelValues, number]> = typeof result === 'number' ? [[[], result]] : result;
        return Array.from(pairs, ([labels, value]) => `${options.name}${labelText(names, labels)} ${value}`);
      },
    });
  }

  histogram(options: MetricOptions & { readonly buckets: readonly number[] }): Histogram {
    const names = options.labels ?? [];
    const series = new Map<string, { counts: number[]; sum: number }>();
    this.#add({
      ...options,
      type: 'histogram',
      samples: function* () {
        for (const [key, { counts, sum }] of series) {
          const values = valuesOf(key, names);
          let total = 0;
          for (const [i, bound] of [...options.buckets, '+Inf'].entries()) {
            total += counts[i] ?? 0;
            yield `${options.name}_bucket${labelText(names, values, `le="${bound}"`)} ${total}`;
          }
          yield `${options.name}_sum${labelText(names, values)} ${sum}`;
          yield `${options.name}_count${labelText(names, values)} ${total}`;
        }
      },
    });
    return {
      observe(value, labels = [], times = 1) {
        const key = keyOf(labels);
        let entry = series.get(key);
        if (!entry) {
          entry = { counts: new Array<number>(options.buckets.length + 1).fill(0), sum: 0 };
          series.set(key, entry);
        }
        const found = options.buckets.findIndex((bound) => value <= bound);
        const bucket = found < 0 ? options.buckets.length : found;
        entry.counts[bucket] = (entry.counts[bucket] ?? 0) + times;
        entry.sum += value * times;
      },
    };
  }

  /** The whole exposition; content type METRICS_CONTENT_TYPE. */
  expose(): string {
    const lines: string[] = [];
    for (const family of this.#families.values()) {
      lines.push(`# HELP ${family.name} ${family.help.replace(/[\\\n]/g, (c) => (c === '\n' ? '\\n' : '\\\\'))}`);
      lines.push(`# TYPE ${family.name} ${family.type}`, ...family.samples());
    }
    return `${lines.join('\n')}\n`;
  }

  #add(family: Family): void {
    if (this.#families.has(family.name)) throw new Error(`metric ${family.name} is declared twice`);
    this.#families.set(family.name, family);
  }
}

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

function* plainSamples(name: string, names: readonly string[], values: ReadonlyMap<string, number>): Iterable<string> {
  for (const [key, value] of values) yield `${name}${labelText(names, valuesOf(key, names))} ${value}`;
}
