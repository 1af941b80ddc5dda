import { formatIp, type MetricsRegistry } from '@ballast/base';
import type { PeerConfig, SessionReport } from '@ballast/bgp';
import type { AddressCounts } from '@ballast/neighbor';

/** MetalLB's metrics of the speaker, under the same names. */
export class SpeakerMetrics {
  readonly #updates;
  readonly #updateErrors;
  readonly #configLoaded;
  readonly #configStale;
  readonly #announced;
  readonly #requests;
  readonly #replies;
  readonly #gratuitous;
  readonly #sessionUp;
  readonly #prefixes;
  readonly #pending;
  readonly #bgpUpdates;
  readonly #messages;
  readonly #seen = new Map<string, number>();
  #shown = new Map<string, readonly string[]>();
  #peerLabels = new Map<string, string>();

  constructor(registry: MetricsRegistry) {
    this.#updates = registry.counter({
      name: 'metallb_k8s_client_updates_total',
      help: 'Number of times the speaker took in changed objects',
    });
    this.#updateErrors = registry.counter({
      name: 'metallb_k8s_client_update_errors_total',
      help: 'Number of writes of the speaker that failed',
    });
    this.#configLoaded = registry.gauge({
      name: 'metallb_k8s_client_config_loaded_bool',
      help: '1 if the configuration was read at least once',
    });
    this.#configStale = registry.gauge({
      name: 'metallb_k8s_client_config_stale_bool',
      help: '1 if some configuration object is invalid and left out',
    });
    this.#announced = registry.gauge({
      name: 'metallb_speaker_announced',
      help: 'Services being announced from this node. This is the intent; it does not say that anybody took it up',
      labels: ['service', 'protocol', 'node', 'ip'],
    });
    const layer2 = (name: string, help: string) =>
      registry.counter({ name: `metallb_layer2_${name}`, help, labels: ['ip'] });
    this.#requests = layer2('requests_received', 'Number of layer2 requests received for owned IPs');
    this.#replies = layer2('responses_sent', 'Number of layer2 responses sent for owned IPs');
    this.#gratuitous = layer2('gratuitous_sent', 'Number of gratuitous layer2 packets sent for owned IPs');
    const peer = (name: string, help: string) =>
      registry.gauge({ name: `metallb_bgp_${name}`, help, labels: ['peer'] });
    this.#sessionUp = peer('session_up', 'BGP session state (1 is up, 0 is down)');
    this.#prefixes = peer(
      'announced_prefixes_total',
      'Number of prefixes currently being advertised on the BGP session',
    );
    this.#pending = peer('pending_prefixes_total', 'Number of prefixes that should be advertised on the BGP session');
    const counted = (name: string, help: string) =>
      registry.counter({ name: `metallb_bgp_${name}`, help, labels: ['peer'] });
    this.#bgpUpdates = counted('updates_total', 'Number of BGP UPDATE messages sent');
    this.#messages = {
      opens_sent: counted('opens_sent', 'Number of BGP open messages sent'),
      opens_received: counted('opens_received', 'Number of BGP open messages received'),
      notifications_sent: counted('notifications_sent', 'Number of BGP notification messages sent'),
      updates_total_received: counted('updates_total_received', 'Number of BGP UPDATE messages received'),
      keepalives_sent: counted('keepalives_sent', 'Number of BGP keepalive messages sent'),
      keepalives_received: counted('keepalives_received', 'Number of BGP keepalive messages received'),
    };
  }

  recomputed(problems: number): void {
    this.#updates.inc();
    this.#configLoaded.set(1);
    this.#configStale.set(problems > 0 ? 1 : 0);
  }

  writeFailed(): void {
    this.#updateErrors.inc();
  }

  /** All announcements of this node: service, protocol, node, address. */
  showAnnounced(announcements: readonly (readonly [string, string, string, string])[]): void {
    const now = new Map(announcements.map((labels) => [labels.join(' '), labels]));
    for (const [key, labels] of this.#shown) if (!now.has(key)) this.#announced.remove(labels);
    for (const labels of now.values()) this.#announced.set(1, labels);
    this.#shown = now;
  }

  showCounts(counts: Readonly<Record<string, AddressCounts>>): void {
    for (const [ip, { requests, replies, announcements }] of Object.entries(counts)) {
      this.#requests.inc([ip], this.#grown(`${ip} requests`, requests));
      this.#replies.inc([ip], this.#grown(`${ip} replies`, replies));
      this.#gratuitous.inc([ip], this.#grown(`${ip} announcements`, announcements));
    }
  }

  /** Peers by name; their metrics carry 'address:port'. */
  configurePeers(peers: readonly PeerConfig[]): void {
    const labels = new Map(peers.map(({ name, address, port }) => [name, `${formatIp(address)}:${port}`]));
    for (const [name, label] of this.#peerLabels) {
      if (labels.get(name) === label) continue;
      for (const gauge of [this.#sessionUp, this.#prefixes, this.#pending]) gauge.remove([label]);
    }
    this.#peerLabels = labels;
  }

  showSession(report: SessionReport): void {
    const label = this.#peerLabels.get(report.name);
    if (label === undefined) return;
    this.#sessionUp.set(report.state === 'Established' ? 1 : 0, [label]);
    this.#prefixes.set(report.announcedPrefixes, [label]);
    this.#pending.set(report.pendingPrefixes, [label]);
    const { sent, received } = report;
    this.#bgpUpdates.inc([label], this.#grown(`${label} updates`, sent.update));
    const counts = {
      opens_sent: sent.open,
      opens_received: received.open,
      notifications_sent: sent.notification,
      updates_total_received: received.update,
      keepalives_sent: sent.keepalive,
      keepalives_received: received.keepalive,
    };
    for (const [name, counter] of Object.entries(this.#messages)) {
      counter.inc([label], this.#grown(`${label} ${name}`, counts[name as keyof typeof counts]));
    }
  }

  /** How much a total has grown since it was last seen; a smaller one began anew. */
  #grown(key: string, total: number): number {
    const before = this.#seen.get(key) ?? 0;
    this.#seen.set(key, total);
    return total < before ? total : total - before;
  }
}
