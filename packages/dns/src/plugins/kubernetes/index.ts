import { networkInterfaces } from 'node:os';
import { canonicalIp, parseIp } from '@ballast/base';
import { nodata, nxdomain } from '../../chain/negative.ts';
import { definePlugin, type PluginContext, type PluginInstance } from '../../chain/plugin.ts';
import { failure, type Next, type Outcome, type Query, reply } from '../../chain/query.ts';
import type { Lease, SharedKind } from '../../chain/shared-resources.ts';
import { reverseName } from '../../corefile/reverse-zone.ts';
import { type Message, makeReply, type ResourceRecord } from '../../wire/message.ts';
import { isWithin, type Name } from '../../wire/name.ts';
import { RCODE, TYPE } from '../../wire/registry.ts';
import { type Fallthrough, fallsThrough, fallthroughOf } from '../fallthrough.ts';
import { nameServers, soaRecord } from './apex.ts';
import { ClusterSource } from './cluster-source.ts';
import { addressRecord, type Lookup, type LookupOptions, lookup, spelledZone } from './lookup.ts';
import { reverseLookup } from './reverse-lookup.ts';
import type { IndexChange } from './service-index.ts';
import { type KubernetesOccurrence, kubernetesSyntax } from './syntax.ts';

const SOURCES: SharedKind<ClusterSource> = { name: 'kubernetes' };
const DEFAULT_TTL = 5;
const DEFAULT_STARTUP_MS = 5000;
/** CNAMEs followed for one query. */
const MAX_DEPTH = 10;
const PROGRAMMING_BUCKETS = Array.from({ length: 20 }, (_, i) => 0.001 * 2 ** i);

/** `kubernetes`: see README.md. */
export const kubernetes = definePlugin({
  name: 'kubernetes',
  syntax: kubernetesSyntax,
  allowsReuse: true,
  create([occurrence], context): PluginInstance {
    const zones = occurrence.args[0].length > 0 ? occurrence.args[0].flat() : context.zones;
    const primaryZone = zones.find((zone) => !isReverse(zone));
    const hasServer = context.client !== undefined || occurrence.options.kubeconfig !== undefined;
    if (primaryZone === undefined) {
      context.report(occurrence.place, 'kubernetes: name a zone that is not a reverse zone, for example cluster.local');
    } else if (!hasServer) {
      const message = 'kubernetes: there is no API server to ask; add "kubeconfig FILE"';
      context.report(occurrence.place, message);
    }
    return new Kubernetes({ occurrence, context, zones, primaryZone: primaryZone ?? '.' });
  },
});

const isReverse = (zone: Name) => isWithin(zone, 'in-addr.arpa.') || isWithin(zone, 'ip6.arpa.');

class Kubernetes implements PluginInstance {
  readonly #occurrence: KubernetesOccurrence;
  readonly #context: PluginContext;
  readonly #zones: readonly Name[];
  readonly #primaryZone: Name;
  readonly #ttl: number;
  readonly #through: Fallthrough;
  #lease: Lease<ClusterSource> | undefined;
  #subscription: Disposable | undefined;
  #lookupOptions: LookupOptions | undefined;

  constructor(options: {
    occurrence: KubernetesOccurrence;
    context: PluginContext;
    zones: readonly Name[];
    primaryZone: Name;
  }) {
    this.#occurrence = options.occurrence;
    this.#context = options.context;
    this.#zones = options.zones;
    this.#primaryZone = options.primaryZone;
    this.#ttl = options.occurrence.options.ttl?.[0] ?? DEFAULT_TTL;
    this.#through = fallthroughOf(options.occurrence.options.fallthrough);
  }

  async start(): Promise<void> {
    const { clock, changes, metrics } = this.#context;
    const { options } = this.#occurrence;
    const programming = metrics.histogram({
      name: 'kubernetes_dns_programming_duration_seconds',
      help: 'Time from the change of an endpoint to DNS answering so.',
      labels: ['service_kind'],
      buckets: PROGRAMMING_BUCKETS,
    });
    this.#lease = this.#acquire();
    const source = this.#lease.value;
    this.#subscription = source.subscribe({
      changed: (change) => changes.announce(this.#namesOf(change)),
      programmed: (seconds) => programming.observe(seconds, ['cluster_ip']),
    });
    metrics.gaugeOf(
      { name: 'kubernetes_api_silence_seconds', help: 'Time since the API server was last heard of.' },
      () => {
        return source.silentMs / 1000;
      },
    );
    const namespaces = options.namespaces.flatMap(([names]) => names);
    this.#lookupOptions = {
      index: source.index,
      namespaces: namespaces.length > 0 ? new Set(namespaces) : undefined,
      pods: options.pods?.[0] ?? 'disabled',
      ttl: this.#ttl,
      noEndpoints: options.noendpoints !== undefined,
      ignoreEmptyService: options.ignore !== undefined,
    };
    if (source.isSynced) return;
    const waited = new AbortController();
    const patience = clock.sleep(options.startup_timeout?.[0] ?? DEFAULT_STARTUP_MS, waited.signal).catch(() => {});
    await Promise.race([source.synced(), patience]);
    waited.abort();
  }

  async stop(): Promise<void> {
    this.#subscription?.[Symbol.dispose]();
    await this.#lease?.release();
  }

  isReady(): boolean {
    return this.#lease?.value.isSynced ?? false;
  }

  async handle(query: Query, next: Next): Promise<Outcome> {
    const zone = this.#zones
      .filter((candidate) => isWithin(query.name, candidate))
      .toSorted((a, b) => b.length - a.length)[0];
    const source = this.#lease?.value;
    const options = this.#lookupOptions;
    if (zone === undefined || !source || !options) return next(query);
    const spelled = query.question.name;
    const soa = soaRecord(spelledZone(spelled, zone) || '.', { ttl: this.#ttl, serial: source.serial });
    if (query.type === TYPE.AXFR || query.type === TYPE.IXFR) return failure('kubernetes', 'REFUSED');
    if (query.name === zone) return this.#answerApex(query, soa, source);
    const question = { spelled, name: query.name, zone, type: query.type };
    const found = isReverse(zone)
      ? reverseLookup(options, { ...question, primaryZone: this.#primaryZone })
      : lookup(options, question);
    if (!isReverse(zone) && query.name === `ns.dns.${zone === '.' ? '' : zone}`)
      return this.#answerNameServer(query, soa);
    return this.#answer(found, { query, next, soa, source });
  }

  async #answer(
    found: Lookup,
    { query, next, soa, source }: { query: Query; next: Next; soa: ResourceRecord; source: ClusterSource },
  ): Promise<Outcome> {
    const { request } = query;
    switch (found.kind) {
      case 'records': {
        const { answers, additionals = [] } = found;
        return answerWith(makeReply(request, { authoritative: true, answers, additionals }));
      }
      case 'alias':
        return this.#follow(query, found, soa);
      case 'nodata':
        return answerWith(nodata(request, soa));
      case 'nxdomain':
        // Before the first sync nobody knows what exists: neither a denial nor the upstream may be asked.
        if (!source.isSynced) {
          return answerWith(makeReply(request, { rcode: RCODE.SERVFAIL, authoritative: true, authorities: [soa] }));
        }
        if (fallsThrough(this.#through, query.name)) return next(query);
        return answerWith(nxdomain(request, soa));
    }
  }

  /** Asks for what an ExternalName leads to, as a client would; without that, the alias is not given either. */
  async #follow(
    query: Query,
    { record, target }: { record: ResourceRecord; target: Name },
    soa: ResourceRecord,
  ): Promise<Outcome> {
    const { request, depth } = query;
    const none = answerWith(nodata(request, soa));
    if (depth >= MAX_DEPTH || target.toLowerCase() === query.name) return none;
    const question = { ...query.question, name: target };
    const asked = { ...request, recursionDesired: true, questions: [question] };
    const outcome = await this.#context.askSelf({
      ...query,
      request: asked,
      question,
      name: target.toLowerCase(),
      depth: depth + 1,
    });
    if (outcome.kind !== 'reply' || outcome.message.answers.length === 0) return none;
    const { answers, truncated } = outcome.message;
    return answerWith(makeReply(request, { authoritative: true, truncated, answers: [record, ...answers] }));
  }

  #answerApex({ request, type }: Query, soa: ResourceRecord, { index }: ClusterSource): Outcome {
    if (type === TYPE.SOA) return answerWith(makeReply(request, { authoritative: true, answers: [soa] }));
    if (type !== TYPE.NS) return answerWith(nodata(request, soa));
    const localAddresses = ownAddresses();
    const { answers, additionals } = nameServers(soa.name, { index, localAddresses, ttl: this.#ttl });
    return answerWith(makeReply(request, { authoritative: true, answers, additionals }));
  }

  #answerNameServer({ request, question, type }: Query, soa: ResourceRecord): Outcome {
    const owner = { name: question.name, ttl: this.#ttl };
    const answers = ownAddresses()
      .map((address) => addressRecord(owner, address))
      .filter((record) => record.type === type);
    if (answers.length === 0) return answerWith(nodata(request, soa));
    return answerWith(makeReply(request, { authoritative: true, answers }));
  }

  #acquire(): Lease<ClusterSource> {
    const { client, shared, logger, clock } = this.#context;
    const { options } = this.#occurrence;
    const what = {
      kubeconfig: options.kubeconfig?.[0],
      watchPods: options.pods?.[0] === 'verified',
      watchEndpoints: options.noendpoints === undefined,
      endpointPodNames: options.endpoint_pod_names !== undefined,
      labels: options.labels?.[0].join(' '),
      namespaceLabels: options.namespace_labels?.[0].join(' '),
    };
    // Blocks and reloads that want to know the same share one watch.
    return shared.acquire(SOURCES, JSON.stringify(what), () => new ClusterSource({ ...what, client, logger, clock }));
  }

  /** The names whose answers a change touches. */
  #namesOf(change: IndexChange): Name[] {
    const forward = this.#zones.filter((zone) => !isReverse(zone)).map((zone) => (zone === '.' ? '' : zone));
    if (change.kind === 'namespace') {
      return forward.flatMap((zone) => [`${change.name}.svc.${zone}`, `${change.name}.pod.${zone}`]);
    }
    const reverse = change.addresses.flatMap((address) => {
      const ip = parseIp(address);
      return ip ? [reverseName(ip)] : [];
    });
    return [...forward.map((zone) => `${change.name}.${change.namespace}.svc.${zone}`), ...reverse];
  }
}

const answerWith = (message: Message): Outcome => reply('kubernetes', message);

/** Addresses of this machine that others can reach. */
function ownAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, scopeid }) => !internal && !scopeid)
    .flatMap(({ address }) => canonicalIp(address) ?? []);
}
