import type { Clock, Logger } from '@ballast/base';
import type { KubeClient } from '@ballast/kube';
import type { Line } from '../corefile/parser.ts';
import type { ServerKey } from '../corefile/server-key.ts';
import type { Argument, Report } from '../syntax/argument.ts';
import {
  type DirectiveSyntax,
  documentSyntax,
  type Occurrence,
  type Option,
  parseDirective,
} from '../syntax/directive.ts';
import type { Name } from '../wire/name.ts';
import type { AnswerChanges } from './answer-changes.ts';
import type { HttpEndpoints } from './http-endpoints.ts';
import type { DnsMetrics } from './metrics.ts';
import type { Handler, Next, Outcome, Query } from './query.ts';
import type { SharedResources } from './shared-resources.ts';

/** What a plugin is given to work with. One per server block; nothing else is global. */
export interface PluginContext {
  readonly keys: readonly ServerKey[];
  /** Zones of all keys of the block. */
  readonly zones: readonly Name[];
  /** The block as metrics name it: 'dns://:53'. */
  readonly server: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: DnsMetrics;
  readonly http: HttpEndpoints;
  readonly shared: SharedResources;
  /** Undefined outside of a cluster. */
  readonly client: KubeClient | undefined;
  readonly random: () => number;
  /** Where plugins with data of their own say what has changed, and caches hear of it. */
  readonly changes: AnswerChanges;
  /** Asks the listener that this block belongs to, as a client would: for CNAME targets. */
  readonly askSelf: Next;
  readonly status: ServerStatus;
  /** Reports what only shows when the parts are put together; the new configuration is then not used. */
  readonly report: Report;
}

/** What `ready`, `health` and `reload` need to know of the whole server. */
export interface ServerStatus {
  /** Plugins of all blocks that are not ready, by name. */
  unready(): readonly string[];
  readonly isStopping: boolean;
  /** Reads the Corefile again every now and then, and on `changed`. */
  setReload(options: { intervalMs: number; jitterMs: number }): void;
  /** Where this server can be asked over loopback; undefined before it listens. */
  listenAddress(port: number): { readonly host: string; readonly port: number } | undefined;
}

/** What came of a query, for those who count and log. */
export interface Observation {
  readonly query: Query;
  readonly outcome: Outcome;
  /** 0 when nothing was sent. */
  readonly replyOctets: number;
  readonly seconds: number;
  /** How often: more than once when a transport answered repeated questions by itself and reports them together. */
  readonly times: number;
  /** A transport gave the answer again by itself. */
  readonly reused?: boolean;
}

/** A plugin at work in one server block. */
export interface PluginInstance {
  /** Absent for plugins that take no part in answering. */
  readonly handle?: Handler;
  /** Sees every answer of the block after it went out. Must be quick and must not throw. */
  observe?(observation: Observation): void;
  /** Addresses that the block listens on instead of the server's own. */
  readonly bindHosts?: readonly string[];
  /** Called once everything is set up, before queries come. A failure stops the new configuration. */
  start?(): Promise<void>;
  /** Called after the last query: at the end, or when a new configuration has taken over. */
  stop?(): Promise<void>;
  /** Absent means ready. */
  isReady?(): boolean;
  /** At the very end only: may take its time while queries are still answered. */
  linger?(): Promise<void>;
}

/** A Corefile directive. */
export interface Plugin {
  readonly name: string;
  readonly summary: string;
  /** For the document: the directive's syntax, and what each option does. */
  readonly syntax: string;
  readonly optionSummaries: Readonly<Record<string, string>>;
  /**
   * True when a repeated question may be answered from the wire cache without asking this plugin: it neither watches single queries nor
   * answers by who asks.
   */
  readonly allowsReuse: boolean;
  /** Reads its lines of one block; undefined after a problem, which has been reported. */
  parse(lines: readonly Line[], report: Report): ((context: PluginContext) => readonly PluginInstance[]) | undefined;
}

type Arguments = readonly Argument<unknown>[];
type Options = Readonly<Record<string, Option<unknown>>>;

/** Makes a plugin of its syntax and of what it does. `create` has no side effects: those belong to `start`. */
export function definePlugin<const A extends Arguments, const O extends Options>(definition: {
  readonly name: string;
  readonly syntax: DirectiveSyntax<A, O>;
  readonly allowsReuse?: boolean;
  create(
    occurrences: readonly [Occurrence<A, O>, ...Occurrence<A, O>[]],
    context: PluginContext,
  ): PluginInstance | readonly PluginInstance[];
}): Plugin {
  const { name, syntax, create } = definition;
  const { check: _, ...documented } = syntax;
  return {
    name,
    summary: syntax.summary,
    syntax: documentSyntax(name, documented),
    optionSummaries: Object.fromEntries(Object.entries(syntax.options).map(([key, { summary }]) => [key, summary])),
    allowsReuse: definition.allowsReuse ?? false,
    parse(lines, report) {
      const [first, ...others] = parseDirective(syntax, lines, report);
      if (!first || others.length + 1 !== lines.length) return undefined;
      return (context) => {
        const created = create([first, ...others], context);
        return Array.isArray(created) ? created : [created as PluginInstance];
      };
    },
  };
}
