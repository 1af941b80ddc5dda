import { type Gauge, messageOf } from '@ballast/base';
import type { Observation, PluginContext, PluginInstance } from '../chain/plugin.ts';
import { composeChain, type Handler } from '../chain/query.ts';
import { CorefileError, type CorefileProblem, type Place } from '../corefile/problem.ts';
import type { Report } from '../syntax/argument.ts';
import type { ListenAt } from '../transport/transport.ts';
import type { Name } from '../wire/name.ts';
import type { BlockPlan, CorefilePlan } from './compile.ts';
import type { RoutedBlock } from './router.ts';

/** Plugins that answer questions of other classes than IN. */
const ANY_CLASS: ReadonlySet<string> = new Set(['forward', 'chaos']);

interface NamedInstance {
  readonly plugin: string;
  readonly instance: PluginInstance;
}

/** Labels of one sample of plugin_enabled. */
type EnabledLabels = readonly [server: string, zone: Name, view: string, name: string];

/** One zone of one block on one socket address. */
interface Binding {
  readonly at: ListenAt;
  readonly zone: Name;
  readonly block: RoutedBlock;
}

/** What a block's context gets from the server; the rest is made here. */
export type ServerContext = Omit<PluginContext, 'keys' | 'zones' | 'server' | 'report' | 'askSelf'>;

/**
 * One configuration at work: the plugin instances of all blocks, and which zone is served where. Created without side effects, then
 * started, and stopped when the next generation has taken over.
 */
export class Generation {
  readonly digest: string;
  readonly #instances: NamedInstance[] = [];
  readonly #bindings: Binding[] = [];
  readonly #enabled: EnabledLabels[] = [];
  readonly #enabledGauge: Gauge;

  /** Throws a CorefileError when the blocks do not go together. */
  constructor(
    plan: CorefilePlan,
    options: { context: ServerContext; hosts: readonly string[]; askAt: (at: ListenAt) => RoutedBlock['ask'] },
  ) {
    this.digest = plan.digest;
    this.#enabledGauge = options.context.metrics.gauge({
      name: 'plugin_enabled',
      help: 'Plugins at work, by server block.',
      labels: ['server', 'zone', 'view', 'name'],
    });
    const problems: CorefileProblem[] = [];
    const report: Report = (place, message) => problems.push({ place, message });
    const served = new Map<string, Place>();
    for (const block of plan.blocks) this.#addBlock(block, { ...options, report, served });
    if (problems.length > 0) throw new CorefileError(problems);
  }

  /** The blocks of each socket address, by 'host port'. */
  byAddress(): Map<string, { at: ListenAt; blocks: RoutedBlock[] }> {
    const addresses = new Map<string, { at: ListenAt; blocks: RoutedBlock[] }>();
    for (const { at, zone, block } of this.#bindings) {
      const key = `${at.host} ${at.port}`;
      const entry = addresses.get(key) ?? { at, blocks: [] };
      entry.blocks.push({ ...block, zones: [zone] });
      addresses.set(key, entry);
    }
    return addresses;
  }

  unready(): string[] {
    const names = this.#instances.filter(({ instance }) => instance.isReady?.() === false).map(({ plugin }) => plugin);
    return [...new Set(names)];
  }

  async start(): Promise<void> {
    for (const labels of this.#enabled) this.#enabledGauge.set(1, labels);
    for (const { instance } of this.#instances) await instance.start?.();
  }

  async linger(): Promise<void> {
    await Promise.all(this.#instances.map(({ instance }) => instance.linger?.()));
  }

  /** Takes what only the generation before this one had out of the metrics. */
  replaceMetricsOf(before: Generation): void {
    const kept = new Set(this.#enabled.map((labels) => labels.join(' ')));
    for (const labels of before.#enabled) if (!kept.has(labels.join(' '))) this.#enabledGauge.remove(labels);
  }

  /** Stops every instance; one that fails to does not keep the others. */
  async stop(onError: (plugin: string, message: string) => void): Promise<void> {
    for (const { plugin, instance } of this.#instances.toReversed()) {
      try {
        await instance.stop?.();
      } catch (error) {
        onError(plugin, messageOf(error));
      }
    }
  }

  #addBlock(
    plan: BlockPlan,
    options: {
      context: ServerContext;
      hosts: readonly string[];
      askAt: (at: ListenAt) => RoutedBlock['ask'];
      report: Report;
      served: Map<string, Place>;
    },
  ): void {
    const [firstKey] = plan.keys;
    if (!firstKey) return;
    const zones = [...new Set(plan.keys.flatMap((key) => key.zones))];
    const server = `dns://:${firstKey.port}`;
    let home: ListenAt = { host: options.hosts[0] ?? '', port: firstKey.port };
    const context: PluginContext = {
      ...options.context,
      keys: plan.keys,
      zones,
      server,
      report: options.report,
      askSelf: (query) => options.askAt(home)(query),
    };
    const instances = plan.plugins.flatMap(({ plugin, create }) =>
      create({ ...context, logger: context.logger.child({ plugin: plugin.name }) }).map((instance) => ({
        plugin: plugin.name,
        instance,
      })),
    );
    this.#instances.push(...instances);
    for (const zone of zones) {
      for (const { plugin } of plan.plugins) this.#enabled.push([server, zone, '', plugin.name]);
    }
    const bound = instances.flatMap(({ instance }) => instance.bindHosts ?? []);
    const hosts = bound.length > 0 ? bound : options.hosts;
    home = { host: hosts[0] ?? '', port: firstKey.port };
    const observers = instances.flatMap(({ instance }) => (instance.observe ? [instance] : []));
    const block: RoutedBlock = {
      zones,
      server,
      ask: composeChain(
        instances.map(({ instance }) => handlerOf(instance)).filter((handler) => handler !== undefined),
      ),
      observe: (observation: Observation) => {
        for (const observer of observers) observer.observe?.(observation);
      },
      takesAnyClass: plan.plugins.some(({ plugin }) => ANY_CLASS.has(plugin.name)),
      allowsReuse: plan.plugins.every(({ plugin }) => plugin.allowsReuse),
    };
    for (const key of plan.keys) {
      for (const zone of key.zones) {
        for (const host of hosts) {
          const at = { host, port: key.port };
          const identity = `${host} ${key.port} ${zone}`;
          const before = options.served.get(identity);
          if (before) {
            const where = `${before.file}:${before.line}`;
            options.report(plan.place, `zone ${zone} on port ${key.port} is already served by the block at ${where}`);
          }
          options.served.set(identity, plan.place);
          this.#bindings.push({ at, zone, block });
        }
      }
    }
  }
}

function handlerOf(instance: PluginInstance): Handler | undefined {
  return instance.handle ? (query, next) => instance.handle?.(query, next) ?? next(query) : undefined;
}
