/**
 * The speaker of one node: turns Services, nodes and MetalLB's objects into what the two threads do. The announcer thread holds ARP, NDP
 * and the heartbeats, the BGP thread holds the sessions; this part only computes and may be slow.
 *
 * When the API server cannot be reached, everything goes on with what was known last.
 */
import { formatCidr, formatIp, type Ip, messageOf, type Running, runInBackground } from '@ballast/base';
import {
  type ExportRoute,
  type PeerConfig,
  type SessionReport,
  startThreadedSpeaker,
  type ThreadedSpeaker,
} from '@ballast/bgp';
import { EventRecorder, keyOf, runController, WorkQueue } from '@ballast/kube';
import { isOurs } from '../allocation/decide-service.ts';
import type { AnnouncedAddress, AnnouncerNews } from '../announcer/announcer-protocol.ts';
import { startThreadedAnnouncer, type ThreadedAnnouncer } from '../announcer/threaded-announcer.ts';
import type { Configuration } from '../configuration/configuration.ts';
import { formatProblem, writeState } from '../configuration/configuration-state.ts';
import { parseConfiguration } from '../configuration/parse-configuration.ts';
import { ProblemEvents } from '../configuration/problem-events.ts';
import { HEARTBEAT_PORT } from '../membership/heartbeat.ts';
import { MEMBER_SECRET, memberKeyOf } from '../membership/member-key.ts';
import { DEFAULT_TIMINGS } from '../membership/membership.ts';
import { METALLB_NAMESPACE } from '../resources/kinds.ts';
import { peersOfNode } from './bgp-peers.ts';
import { mergeRoutes, routesOf, type WantedRoute } from './bgp-routes.ts';
import { DampedReadiness } from './damped-readiness.ts';
import { type NodeFacts, nodeFacts, type ServiceFacts, serviceFacts } from './facts.ts';
import { type L2Ranking, rankL2 } from './l2-election.ts';
import { type RestartFacts, readRestartMarker } from './restart-marker.ts';
import { ownersOf, ServiceReporter } from './service-reporter.ts';
import { SpeakerMetrics } from './speaker-metrics.ts';
import { addressOfNode, type SpeakerObjects, startSpeakerObjects } from './speaker-objects.ts';
import type { SpeakerOptions } from './speaker-options.ts';

/** Changes that arrive this close together are taken in together. */
const GATHER_MS = 5;
/** A node counts as Ready for this long after it was seen not to be. */
const READINESS_PATIENCE_MS = 5000;
/** How often counters of the threads are fetched for the metrics. */
const COUNT_MS = 2000;
/** Our routes stay with peers for this long after the process was killed: several times what a restart takes, and no longer, since a node
 * that reboots in good order closes its sessions just the same and then answers nobody. */
const RESTART_TIME_SECONDS = 15;

/** Starts announcing; see SpeakerOptions. */
export function startSpeaker(options: SpeakerOptions): Running {
  const logger = options.logger.child({ component: 'speaker' });
  return runInBackground(async (signal) => {
    await using objects = startSpeakerObjects({ ...options, logger });
    const stopped = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    const ready = Promise.all([objects.synced, options.ready]);
    await Promise.race([ready, stopped]);
    if (signal.aborted) return;
    const restart = options.stateDir === undefined ? FRESH_START : await readRestartMarker(options.stateDir);
    await using speaker = new NodeSpeaker({ ...options, logger }, { objects, restart });
    speaker.begin();
    await Promise.race([speaker.done, stopped]);
  });
}

/** Without a state folder, a predecessor is assumed: its routes are taken over if there are any. */
const FRESH_START: RestartFacts = { restarted: true, forwardingPreserved: true };

/** What was decided for one Service. */
interface Announcement {
  readonly facts: ServiceFacts;
  readonly l2: L2Ranking | undefined;
  readonly routes: readonly WantedRoute[];
}

class NodeSpeaker implements AsyncDisposable {
  readonly #options: SpeakerOptions;
  readonly #objects: SpeakerObjects;
  readonly #restart: RestartFacts;
  readonly #announcer: ThreadedAnnouncer;
  readonly #bgp: ThreadedSpeaker;
  readonly #metrics: SpeakerMetrics;
  readonly #service: ServiceReporter;
  readonly #problemEvents: ProblemEvents;
  readonly #statuses: WorkQueue;
  readonly #writer: Running;
  readonly #readiness = new DampedReadiness(READINESS_PATIENCE_MS);
  #readinessTimer: Disposable | undefined;
  readonly #dirty = new Set<string>();
  #everything = true;
  #gathering: Disposable | undefined;
  #counting: Disposable | undefined;
  #configuration: Configuration = { pools: [], l2Ads: [], bgpAds: [], peers: [], problems: [] };
  #nodes: readonly NodeFacts[] = [];
  #peerNames: readonly string[] = [];
  /** Peers that the BGP thread does not know yet. */
  #pendingPeers: readonly PeerConfig[] | undefined;
  readonly #announcements = new Map<string, Announcement>();
  #routes = new Map<string, Map<string, ExportRoute>>();
  #owned: ReadonlySet<string> = new Set();
  #links: readonly string[] = [];
  #assignmentKey = '';
  readonly #told = new Map<string, string>();
  readonly #conflicts = new Map<string, number>();
  #disposed = false;

  constructor(options: SpeakerOptions, parts: { readonly objects: SpeakerObjects; readonly restart: RestartFacts }) {
    this.#options = options;
    this.#objects = parts.objects;
    this.#restart = parts.restart;
    this.#metrics = new SpeakerMetrics(options.metrics);
    const recorder = new EventRecorder({ ...options, component: 'metallb-speaker', host: options.nodeName });
    this.#problemEvents = new ProblemEvents(recorder);
    this.#service = new ServiceReporter({
      client: options.client,
      objects: parts.objects,
      recorder,
      node: options.nodeName,
    });
    const nodeIp = options.nodeIps[0];
    if (!nodeIp) throw new Error('a speaker needs an address of its node');
    this.#announcer = startThreadedAnnouncer({
      node: options.nodeName,
      nodeIp,
      port: options.heartbeatPort ?? HEARTBEAT_PORT,
      timings: options.timings ?? DEFAULT_TIMINGS,
      onNews: (news) => this.#onNews(news),
    });
    this.#bgp = startThreadedSpeaker({ logger: options.logger, onState: (report) => this.#onSession(report) });
    this.#statuses = new WorkQueue(options.clock);
    this.#writer = runController({
      name: 'speaker-statuses',
      queue: this.#statuses,
      workers: 2,
      logger: options.logger,
      reconcile: (key) => this.#writeStatuses(key),
    });
  }

  /** Fails when one of the threads does. */
  get done(): Promise<unknown> {
    return Promise.all([this.#announcer.done, this.#bgp.done, this.#writer.done]);
  }

  begin(): void {
    const { services, slices, statuses } = this.#objects;
    services.onChange((event) => this.#touch(keyOf(event.object)));
    slices.onChange(({ object }) => {
      const name = object.metadata.labels?.['kubernetes.io/service-name'];
      if (name !== undefined) this.#touch(`${object.metadata.namespace ?? ''}/${name}`);
    });
    this.#objects.onConfiguration(() => this.#touchAll());
    statuses.onChange((service) => this.#statuses.add(service));
    this.#objects.onOwnState(() => this.#statuses.add(STATE));
    this.#touchAll();
    this.#count();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#gathering?.[Symbol.dispose]();
    this.#counting?.[Symbol.dispose]();
    this.#readinessTimer?.[Symbol.dispose]();
    const handOver = this.#options.handOverOnStop ?? true;
    await Promise.all([this.#announcer.stop({ handOver }), this.#bgp.stop({ handOver })]);
    await this.#writer[Symbol.asyncDispose]();
  }

  #touch(service: string): void {
    this.#dirty.add(service);
    this.#gather();
  }

  #touchAll(): void {
    this.#everything = true;
    this.#gather();
  }

  #gather(): void {
    if (this.#disposed) return;
    this.#gathering ??= this.#options.clock.timer(GATHER_MS, () => {
      this.#gathering = undefined;
      try {
        this.#recompute();
      } catch (error) {
        this.#options.logger.error('cannot work out what to announce', { error });
      }
    });
  }

  #recompute(): void {
    const all = this.#everything;
    this.#everything = false;
    if (all) this.#configure();
    const keys = all
      ? new Set([...this.#announcements.keys(), ...Array.from(this.#objects.services.list(), keyOf)])
      : new Set(this.#dirty);
    this.#dirty.clear();
    for (const key of keys) this.#decide(key);
    this.#metrics.recomputed(this.#configuration.problems.filter((problem) => problem.severity === 'error').length);
    this.#announceRoutes();
    this.#assign();
    this.#showAnnounced();
  }

  #configure(): void {
    const { logger, nodeName } = this.#options;
    this.#configuration = parseConfiguration(this.#objects.configuration());
    this.#problemEvents.tell(this.#configuration.problems);
    this.#nodes = this.#readNodes();
    const self = this.#self();
    if (!self) logger.warn('this node is not in the API', { node: nodeName });
    const peers = self
      ? peersOfNode(this.#configuration, {
          node: self,
          nodeIps: this.#options.nodeIps,
          gracefulRestart: { restartTimeSeconds: RESTART_TIME_SECONDS, ...this.#restart },
        })
      : [];
    this.#peerNames = peers.map(({ name }) => name);
    // Routes go first: a session that comes up tells all of them before End-of-RIB.
    this.#pendingPeers = peers;
    this.#metrics.configurePeers(peers);
    this.#statuses.add(STATE);
  }

  #readNodes(): NodeFacts[] {
    const nowMs = this.#options.clock.monotonicMs();
    const nodes = Array.from(this.#objects.nodes.list(), nodeFacts).sort((a, b) => (a.name < b.name ? -1 : 1));
    this.#readiness.keep(new Set(nodes.map(({ name }) => name)));
    const damped = nodes.map((node) => ({
      ...node,
      ready: this.#readiness.observe(node.name, { ready: node.ready, nowMs }),
    }));
    const nextMs = this.#readiness.nextMs(nowMs);
    this.#readinessTimer?.[Symbol.dispose]();
    this.#readinessTimer =
      nextMs === undefined ? undefined : this.#options.clock.timer(nextMs - nowMs + 1, () => this.#touchAll());
    return damped;
  }

  #self(): NodeFacts | undefined {
    return this.#nodes.find((node) => node.name === this.#options.nodeName);
  }

  #decide(key: string): void {
    const { nodeName, loadBalancerClass, logger } = this.#options;
    const service = this.#objects.services.get(key);
    const facts =
      service && service.metadata.deletionTimestamp === undefined && isOurs(service, loadBalancerClass)
        ? serviceFacts(service, this.#objects.slicesOf(key))
        : undefined;
    this.#statuses.add(key);
    const node = this.#self();
    if (!facts || !node) {
      this.#announcements.delete(key);
      this.#told.delete(`${key} why`);
      return;
    }
    const configuration = this.#configuration;
    const l2 = rankL2(facts, { configuration, nodes: this.#nodes, self: nodeName });
    const otherNodeIsReady = this.#nodes.some((other) => other.ready && other.name !== nodeName);
    const routes = routesOf(facts, { configuration, node, otherNodeIsReady, peers: this.#peerNames });
    const why = `${'why' in l2 ? l2.why : 'announced'}, ${'why' in routes ? routes.why : 'announced'}`;
    if (this.#told.get(`${key} why`) !== why)
      logger.debug('Service decided', {
        service: key,
        layer2: 'why' in l2 ? l2.why : l2.candidates,
        bgp: 'why' in routes ? routes.why : routes.length,
      });
    this.#told.set(`${key} why`, why);
    this.#announcements.set(key, { facts, l2: 'why' in l2 ? undefined : l2, routes: 'why' in routes ? [] : routes });
  }

  #announceRoutes(): void {
    const wanted = mergeRoutes(Array.from(this.#announcements.values(), ({ routes }) => routes));
    const changes = [];
    for (const peer of new Set([...wanted.keys(), ...this.#routes.keys()])) {
      const before = this.#routes.get(peer) ?? new Map<string, ExportRoute>();
      const after = wanted.get(peer) ?? new Map<string, ExportRoute>();
      const announce = [...after]
        .filter(([key, route]) => textOf(before.get(key)) !== textOf(route))
        .map(([, route]) => route);
      const withdraw = [...before].filter(([key]) => !after.has(key)).map(([, route]) => route.prefix);
      if (announce.length + withdraw.length > 0) changes.push({ peer, announce, withdraw });
    }
    this.#routes = wanted;
    if (changes.length > 0) this.#bgp.update(changes);
    if (this.#pendingPeers) this.#bgp.configure(this.#pendingPeers);
    this.#pendingPeers = undefined;
  }

  /** Tells the announcer who may announce what. */
  #assign(): void {
    const key = memberKeyOf(this.#objects.secretOf(MEMBER_SECRET));
    if (!key) {
      this.#options.logger.debug('waiting for the Secret of the speakers', {
        secret: `${METALLB_NAMESPACE}/${MEMBER_SECRET}`,
      });
      return;
    }
    const addresses = new Map<string, AnnouncedAddress>();
    for (const [, { facts, l2 }] of [...this.#announcements].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (!l2) continue;
      for (const ip of facts.addresses) {
        const text = formatIp(ip);
        if (!addresses.has(text)) addresses.set(text, { ip, candidates: l2.candidates, interfaces: l2.interfaces });
      }
    }
    const peers = this.#otherNodes();
    const assignmentKey = JSON.stringify([
      Buffer.from(key).toString('base64'),
      peers.map(({ node, ip }) => [node, formatIp(ip)]),
      Array.from(addresses, ([text, { candidates, interfaces }]) => [text, candidates, interfaces]),
    ]);
    if (assignmentKey === this.#assignmentKey) return;
    this.#assignmentKey = assignmentKey;
    this.#announcer.assign({ key, peers, addresses: [...addresses.values()] });
  }

  #otherNodes(): { node: string; ip: Ip }[] {
    const family = this.#options.nodeIps[0]?.family ?? 4;
    const peers: { node: string; ip: Ip }[] = [];
    for (const node of this.#objects.nodes.list()) {
      const ip = addressOfNode(node, family);
      if (ip && node.metadata.name !== this.#options.nodeName) peers.push({ node: node.metadata.name, ip });
    }
    return peers.sort((a, b) => (a.node < b.node ? -1 : 1));
  }

  #onNews(news: Exclude<AnnouncerNews, { kind: 'counts' }>): void {
    const { logger } = this.#options;
    switch (news.kind) {
      case 'owned': {
        const owned = new Set(news.addresses);
        const changed = owned.symmetricDifference(this.#owned);
        this.#owned = owned;
        logger.info('layer 2 addresses changed', {
          taken: [...changed].filter((ip) => owned.has(ip)),
          given: [...changed].filter((ip) => !owned.has(ip)),
        });
        for (const [key, { facts }] of this.#announcements) {
          if (facts.addresses.some((ip) => changed.has(formatIp(ip)))) this.#statuses.add(key);
        }
        this.#showAnnounced();
        return;
      }
      case 'members':
        logger.info('speakers changed', {
          members: Object.fromEntries(news.members.map(({ node, state }) => [node, state])),
        });
        this.#options.onLostNodes?.(
          new Set(news.members.filter(({ state, heard }) => state === 'dead' && heard).map(({ node }) => node)),
        );
        return;
      case 'links':
        this.#links = news.names;
        logger.info('interfaces for layer 2', { links: news.names });
        for (const key of this.#announcements.keys()) this.#statuses.add(key);
        return;
      case 'conflict':
        this.#onConflict(news);
        return;
      case 'warning':
        logger.warn('layer 2', { why: news.message });
        return;
      default:
        news satisfies never;
    }
  }

  /** A new owner is announced by its frames before we hear of it otherwise; only what repeats is worth a word. */
  #onConflict({ address, mac, link }: Extract<AnnouncerNews, { kind: 'conflict' }>): void {
    const count = (this.#conflicts.get(address) ?? 0) + 1;
    this.#conflicts.set(address, count);
    if (count % CONFLICTS_WORTH_A_WORD === 0)
      this.#options.logger.warn('another station claims an address of ours', { address, mac, link, count });
  }

  #onSession(report: SessionReport): void {
    this.#metrics.showSession(report);
  }

  #count(): void {
    this.#counting = this.#options.clock.timer(COUNT_MS, () => {
      void Promise.all([this.#announcer.counts(), this.#bgp.report()])
        .then(([counts, reports]) => {
          this.#metrics.showCounts(counts);
          for (const report of reports) this.#metrics.showSession(report);
        })
        .catch((error: unknown) => this.#options.logger.debug('counters not fetched', { why: messageOf(error) }))
        .finally(() => {
          if (!this.#disposed) this.#count();
        });
    });
  }

  #showAnnounced(): void {
    const node = this.#options.nodeName;
    const rows: [string, string, string, string][] = [];
    for (const [key, { facts, l2, routes }] of this.#announcements) {
      for (const ip of facts.addresses.map(formatIp)) {
        if (l2 && this.#owned.has(ip)) rows.push([key, 'layer2', node, ip]);
        if (routes.length > 0) rows.push([key, 'bgp', node, ip]);
      }
    }
    this.#metrics.showAnnounced(rows);
  }

  async #writeStatuses(key: string): Promise<void> {
    if (key === STATE) return this.#writeState();
    const announcement = this.#announcements.get(key);
    const first = announcement?.facts.addresses[0];
    const l2 = announcement?.l2 && first && this.#owned.has(formatIp(first)) ? announcement.l2 : undefined;
    try {
      await this.#service.report(key, {
        layer2: l2 && first ? { address: formatIp(first), wanted: l2.interfaces, present: this.#links } : undefined,
        peers: [...new Set((announcement?.routes ?? []).map(({ peer }) => peer))].sort(),
      });
    } catch (error) {
      this.#metrics.writeFailed();
      throw error;
    }
  }

  #writeState(): Promise<void> {
    const { nodeName, client, clock } = this.#options;
    const of = (severity: 'error' | 'unsupported') =>
      this.#configuration.problems
        .filter((problem) => problem.severity === severity && this.#objects.selectsNode(problem.object, this.#self()))
        .map(formatProblem);
    return writeState(client, clock, {
      name: `speaker-${nodeName}`,
      labels: { 'metallb.io/component-type': 'speaker', 'metallb.io/node-name': nodeName },
      owners: ownersOf(this.#objects.nodes.get(nodeName)),
      conditions: [
        { type: 'configReconcilerValid', problems: of('error') },
        { type: 'featuresSupported', problems: of('unsupported') },
      ],
    });
  }
}

const STATE = '*state';
const CONFLICTS_WORTH_A_WORD = 5;

function textOf(route: ExportRoute | undefined): string {
  return route
    ? JSON.stringify([formatCidr(route.prefix), route.localPref, route.communities, route.largeCommunities])
    : '';
}
