import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { messageOf } from '@ballast/base';
import { DURATION_BUCKETS } from '../../chain/metrics.ts';
import { definePlugin, type PluginContext, type PluginInstance } from '../../chain/plugin.ts';
import { failure, type Next, type Outcome, type Query, reply } from '../../chain/query.ts';
import type { Message } from '../../wire/message.ts';
import { isWithin, type Name } from '../../wire/name.ts';
import { EDNS_OPTION, RCODE, rcodeName } from '../../wire/registry.ts';
import { createPolicy } from './policy.ts';
import { type ForwardOccurrence, forwardSyntax } from './syntax.ts';
import { Upstream } from './upstream.ts';
import { UpstreamList } from './upstream-list.ts';

/** Time for one query over all its attempts. */
const BUDGET_MS = 5000;
const DEFAULTS = { expireMs: 10_000, readTimeoutMs: 2000, maxFails: 2, probeIntervalMs: 500 } as const;
/** What this server takes over UDP from an upstream. */
const UDP_OCTETS = 1232;

/** `forward`: see README.md. */
export const forward = definePlugin({
  name: 'forward',
  syntax: forwardSyntax,
  allowsReuse: true,
  create: (occurrences, context) =>
    occurrences.map(
      (occurrence, i) => new Forward({ occurrence, context, isFollowedByForward: i < occurrences.length - 1 }),
    ),
});

class Forward implements PluginInstance {
  readonly #occurrence: ForwardOccurrence;
  readonly #context: PluginContext;
  readonly #from: Name;
  readonly #except: readonly Name[];
  readonly #isFollowedByForward: boolean;
  readonly #order: ReturnType<typeof createPolicy>;
  readonly #upstreams: UpstreamList;
  readonly #metrics: ReturnType<typeof forwardMetrics>;
  #underWay = 0;

  constructor({
    occurrence,
    context,
    isFollowedByForward,
  }: {
    occurrence: ForwardOccurrence;
    context: PluginContext;
    isFollowedByForward: boolean;
  }) {
    const [[from = '.'], targets] = occurrence.args;
    const { options } = occurrence;
    this.#occurrence = occurrence;
    this.#context = context;
    this.#from = from;
    this.#except = options.except.flatMap(([names]) => names);
    this.#isFollowedByForward = isFollowedByForward;
    this.#order = createPolicy(options.policy?.[0] ?? 'random', context.random);
    this.#metrics = forwardMetrics(context);
    const tls = tlsOptions(occurrence, context);
    const { clock, logger, random } = context;
    const [probeIntervalMs, noRecursion, , domain = '.'] = options.health_check ?? [];
    const probe = { domain, recursionDesired: noRecursion === undefined };
    const create = (server: ConstructorParameters<typeof Upstream>[0]) => {
      const upstream: Upstream = new Upstream(server, {
        maxFails: options.max_fails?.[0] ?? DEFAULTS.maxFails,
        probeIntervalMs: probeIntervalMs ?? DEFAULTS.probeIntervalMs,
        probe,
        forceTcp: options.force_tcp !== undefined,
        expireMs: options.expire?.[0] ?? DEFAULTS.expireMs,
        tls,
        randomId: () => Math.floor(random() * 0x10000),
        clock,
        logger,
        onProbeFailed: () => this.#metrics.probeFailures.inc(['forward', upstream.name]),
      });
      return upstream;
    };
    this.#upstreams = new UpstreamList({ targets, create, logger, clock });
  }

  start(): Promise<void> {
    return this.#upstreams.start();
  }

  async stop(): Promise<void> {
    this.#upstreams.close();
  }

  async handle(query: Query, next: Next): Promise<Outcome> {
    const isOurs = isWithin(query.name, this.#from);
    const isExcept = query.name !== this.#from && this.#except.some((name) => isWithin(query.name, name));
    if (!isOurs || isExcept) return next(query);
    const limit = this.#occurrence.options.max_concurrent?.[0] ?? 0;
    if (limit > 0 && this.#underWay >= limit) {
      this.#metrics.rejects.inc();
      return failure('forward', 'REFUSED', `more than ${limit} queries are under way (max_concurrent)`);
    }
    this.#underWay += 1;
    try {
      const outcome = await this.#ask(query);
      return this.#isForNext(outcome) ? await next(query) : outcome;
    } finally {
      this.#underWay -= 1;
    }
  }

  async #ask(query: Query): Promise<Outcome> {
    const { clock } = this.#context;
    const { options } = this.#occurrence;
    const ordered = this.#order(this.#upstreams.all);
    if (ordered.length === 0) return failure('forward', 'SERVFAIL', 'there is no upstream to ask');
    const candidates = this.#wellOnes(ordered);
    if (candidates.length === 0) return failure('forward', 'SERVFAIL', 'every upstream is down');
    const deadlineMs = clock.monotonicMs() + BUDGET_MS;
    const attempts = options.max_connect_attempts?.[0] ?? 2 * ordered.length;
    const failover = options.failover.flatMap(([codes]) => codes);
    let lastError = '';
    let lastAnswer: Outcome | undefined;
    for (let attempt = 0; attempts === 0 || attempt < attempts; attempt++) {
      const upstream = candidates[attempt % candidates.length];
      const leftMs = deadlineMs - clock.monotonicMs();
      if (!upstream || leftMs <= 0) break;
      try {
        const answer = await this.#askOne(
          upstream,
          query,
          Math.min(leftMs, options.read_timeout?.[0] ?? DEFAULTS.readTimeoutMs),
        );
        lastAnswer = reply('forward', answer);
        const triesNext = failover.includes(answer.rcode) && attempt < candidates.length - 1;
        if (!triesNext) return lastAnswer;
      } catch (error) {
        lastError = `${upstream.name}: ${messageOf(error)}`;
      }
    }
    return lastAnswer ?? failure('forward', 'SERVFAIL', lastError || 'no upstream answered in time');
  }

  /** Those that are not down; when all are, one is tried all the same, for the probes may be wrong. */
  #wellOnes(ordered: readonly Upstream[]): readonly Upstream[] {
    const well = ordered.filter((upstream) => !upstream.isDown);
    if (well.length > 0) return well;
    this.#metrics.broken.inc();
    return this.#occurrence.options.failfast_all_unhealthy_upstreams ? [] : ordered;
  }

  async #askOne(upstream: Upstream, query: Query, timeoutMs: number): Promise<Message> {
    const { clock } = this.#context;
    const { prefer_udp: preferUdp } = this.#occurrence.options;
    const startMs = clock.monotonicMs();
    const asked = outgoing(query);
    let answer = await upstream.ask(asked, { stream: query.protocol === 'tcp' && preferUdp === undefined, timeoutMs });
    if (answer.truncated && preferUdp !== undefined) answer = await upstream.ask(asked, { stream: true, timeoutMs });
    const seconds = (clock.monotonicMs() - startMs) / 1000;
    this.#metrics.durations.observe(seconds, ['forward', upstream.name, rcodeName(answer.rcode)]);
    const { id, questions } = query.request;
    return { ...answer, id, questions };
  }

  #isForNext(outcome: Outcome): boolean {
    if (!this.#isFollowedByForward || outcome.kind !== 'reply') return false;
    const { next, next_on_nodata: onNodata } = this.#occurrence.options;
    const { rcode, answers } = outcome.message;
    if (next.some(([codes]) => codes.includes(rcode))) return true;
    return onNodata !== undefined && rcode === RCODE.NOERROR && answers.length === 0;
  }
}

/** Options that concern the hop to the client, not the question. */
const HOP_OPTIONS: readonly number[] = [EDNS_OPTION.COOKIE, EDNS_OPTION.TCP_KEEPALIVE, EDNS_OPTION.PADDING];

/** The question as it goes out: with EDNS when the client used it, and without what was meant for this server. */
function outgoing({ request, question }: Query): Message {
  const { edns } = request;
  const options = edns?.options.filter(({ code }) => !HOP_OPTIONS.includes(code)) ?? [];
  return {
    ...request,
    questions: [question],
    answers: [],
    authorities: [],
    additionals: [],
    edns: edns && { ...edns, udpSize: UDP_OCTETS, options },
  };
}

function tlsOptions({ options, place }: ForwardOccurrence, { report }: PluginContext): ConnectionOptions {
  const [files = []] = options.tls ?? [];
  const read = (path: string | undefined): string | undefined => {
    if (path === undefined) return undefined;
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      report(place, `forward: tls: cannot read ${path}: ${messageOf(error)}`);
      return undefined;
    }
  };
  const ca = read(files.length === 1 ? files[0] : files[2]);
  const cert = files.length >= 2 ? read(files[0]) : undefined;
  const key = files.length >= 2 ? read(files[1]) : undefined;
  const servername = options.tls_servername?.[0];
  return {
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(servername === undefined ? {} : { servername }),
  };
}

function forwardMetrics({ metrics }: PluginContext) {
  return {
    broken: metrics.counter({
      name: 'forward_healthcheck_broken_total',
      help: 'Queries for which every upstream was down.',
    }),
    rejects: metrics.counter({
      name: 'forward_max_concurrent_rejects_total',
      help: 'Queries refused because too many were under way.',
    }),
    durations: metrics.histogram({
      name: 'proxy_request_duration_seconds',
      help: 'Time until an upstream answered.',
      labels: ['proxy_name', 'to', 'rcode'],
      buckets: DURATION_BUCKETS,
    }),
    probeFailures: metrics.counter({
      name: 'proxy_healthcheck_failures_total',
      help: 'Probes that an upstream did not answer.',
      labels: ['proxy_name', 'to'],
    }),
  };
}
