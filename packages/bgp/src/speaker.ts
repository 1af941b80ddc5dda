import { isDeepStrictEqual } from 'node:util';
import { type Cidr, type Clock, formatCidr, formatIp, type Ip, ipEquals, type Logger, messageOf } from '@ballast/base';
import { CEASE } from './family.ts';
import { PeerSession, type SessionEffect, type SessionEvent, type SessionReport, type TimerName } from './session.ts';
import type { ExportRoute, PeerConfig } from './session-config.ts';
import { connectTransport, listenTransport, type Transport } from './transport.ts';

export interface SpeakerOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** [0, 1); spreads timers. */
  readonly random?: () => number;
  /** Addresses on which peers may connect to us; none by default, as MetalLB has it. */
  readonly listen?: readonly { readonly address: Ip; readonly port: number }[];
  /** Called after a session changed its state. */
  readonly onState?: (report: SessionReport) => void;
}

export interface RouteChange {
  readonly peer: string;
  readonly announce: readonly ExportRoute[];
  readonly withdraw: readonly Cidr[];
}

interface Peer {
  readonly config: PeerConfig;
  readonly session: PeerSession;
  readonly transports: Map<number, Transport>;
  readonly connecting: Map<number, Disposable>;
  readonly timers: Map<TimerName, Disposable>;
}

/**
 * Runs the sessions of all peers on real sockets and timers. Belongs to one thread. Routes are kept per peer name and outlive changes of
 * the peer's configuration.
 */
export class BgpSpeaker implements AsyncDisposable {
  readonly #options: SpeakerOptions;
  readonly #random: () => number;
  readonly #peers = new Map<string, Peer>();
  readonly #routes = new Map<string, Map<string, ExportRoute>>();
  #listeners: AsyncDisposable[] = [];

  constructor(options: SpeakerOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
  }

  /** Makes the sessions those of `configs`. A peer whose configuration is the same keeps its session. */
  configure(configs: readonly PeerConfig[]): void {
    const wanted = new Map(configs.map((config) => [config.name, config]));
    for (const [name, peer] of this.#peers) {
      const config = wanted.get(name);
      if (config && isDeepStrictEqual(config, peer.config)) continue;
      const subcode = config ? CEASE.otherConfigurationChange : CEASE.peerDeconfigured;
      this.#handle(peer, { kind: 'stop', subcode });
      this.#peers.delete(name);
      if (!config) this.#routes.delete(name);
    }
    const fresh: Peer[] = [];
    for (const config of configs) {
      if (this.#peers.has(config.name)) continue;
      const session = new PeerSession(config, { random: this.#random });
      const peer: Peer = { config, session, transports: new Map(), connecting: new Map(), timers: new Map() };
      for (const route of this.#routes.get(config.name)?.values() ?? []) session.announce(route);
      this.#peers.set(config.name, peer);
      fresh.push(peer);
    }
    if (this.#options.listen && fresh.length > 0) this.#listenAgain();
    for (const peer of fresh) this.#handle(peer, { kind: 'start' });
  }

  /** Changes what peers are told. All changes of one call go out together. */
  update(changes: readonly RouteChange[]): void {
    for (const { peer: name, announce, withdraw } of changes) {
      let routes = this.#routes.get(name);
      if (!routes) {
        routes = new Map();
        this.#routes.set(name, routes);
      }
      const peer = this.#peers.get(name);
      for (const prefix of withdraw) {
        routes.delete(formatCidr(prefix));
        peer?.session.withdraw(prefix);
      }
      for (const route of announce) {
        routes.set(formatCidr(route.prefix), route);
        peer?.session.announce(route);
      }
      if (peer) this.#handle(peer, { kind: 'flush' });
    }
  }

  report(): SessionReport[] {
    return [...this.#peers.values()].map((peer) => peer.session.report());
  }

  /** Ends all sessions: with Cease, so that peers drop our routes at once, or by closing, so that they wait for our return (RFC 4724). */
  async stop({ handOver }: { readonly handOver: boolean }): Promise<void> {
    for (const peer of this.#peers.values()) {
      this.#handle(
        peer,
        handOver ? { kind: 'stop', subcode: CEASE.administrativeShutdown } : { kind: 'stop-silently' },
      );
    }
    this.#peers.clear();
    const listeners = this.#listeners;
    this.#listeners = [];
    await Promise.all(listeners.map((listener) => listener[Symbol.asyncDispose]()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop({ handOver: true });
  }

  #handle(peer: Peer, event: SessionEvent): void {
    for (const effect of peer.session.handle(event)) this.#perform(peer, effect);
  }

  #perform(peer: Peer, effect: SessionEffect): void {
    const { session, config } = peer;
    switch (effect.kind) {
      case 'connect': {
        const id = effect.connection;
        const attempt = connectTransport(config, {
          clock: this.#options.clock,
          connected: (transport) => {
            peer.connecting.delete(id);
            this.#adopt(peer, id, transport);
            this.#handle(peer, { kind: 'connected', connection: id, localAddress: transport.localAddress });
          },
          failed: (why) => {
            peer.connecting.delete(id);
            this.#handle(peer, { kind: 'closed', connection: id, why });
          },
        });
        peer.connecting.set(id, attempt);
        return;
      }
      case 'send':
        peer.transports.get(effect.connection)?.send(effect.bytes);
        return;
      case 'close':
        peer.connecting.get(effect.connection)?.[Symbol.dispose]();
        peer.connecting.delete(effect.connection);
        peer.transports.get(effect.connection)?.close();
        peer.transports.delete(effect.connection);
        return;
      case 'set-timer': {
        peer.timers.get(effect.timer)?.[Symbol.dispose]();
        const timer = this.#options.clock.timer(effect.delayMs, () => {
          peer.timers.delete(effect.timer);
          this.#handle(peer, { kind: 'timer', timer: effect.timer });
        });
        peer.timers.set(effect.timer, timer);
        return;
      }
      case 'clear-timer':
        peer.timers.get(effect.timer)?.[Symbol.dispose]();
        peer.timers.delete(effect.timer);
        return;
      case 'state': {
        const fields = {
          peer: config.name,
          address: formatIp(config.address),
          from: effect.from,
          to: effect.to,
          why: effect.why,
        };
        if (effect.to === 'Established' || effect.from === 'Established')
          this.#options.logger.info('BGP session changed', fields);
        else this.#options.logger.debug('BGP session changed', fields);
        this.#options.onState?.(session.report());
        return;
      }
      case 'warning':
        this.#options.logger.warn('BGP message with faults', { peer: config.name, fault: effect.message });
        return;
      default:
        effect satisfies never;
    }
  }

  #adopt(peer: Peer, id: number, transport: Transport): void {
    peer.transports.set(id, transport);
    transport.onData((bytes) => this.#handle(peer, { kind: 'data', connection: id, bytes }));
    transport.onClosed((why) => {
      peer.transports.delete(id);
      this.#handle(peer, { kind: 'closed', connection: id, why });
    });
  }

  /** MD5 keys belong to the listening socket, so a new set of peers means a new one. */
  #listenAgain(): void {
    const old = this.#listeners;
    this.#listeners = [];
    for (const listener of old) void listener[Symbol.asyncDispose]();
    const peers = [...this.#peers.values()].map((peer) => peer.config);
    for (const at of this.#options.listen ?? []) {
      const failed = (why: string) =>
        this.#options.logger.error('cannot listen for BGP', { address: formatIp(at.address), port: at.port, why });
      try {
        this.#listeners.push(listenTransport({ ...at, peers, accept: (transport) => this.#accept(transport), failed }));
      } catch (error) {
        failed(messageOf(error));
      }
    }
  }

  #accept(transport: Transport): void {
    const peer = [...this.#peers.values()].find(({ config }) => ipEquals(config.address, transport.remoteAddress));
    if (!peer) {
      transport.close();
      return;
    }
    const id = peer.session.nextConnection();
    this.#adopt(peer, id, transport);
    this.#handle(peer, { kind: 'accepted', connection: id, localAddress: transport.localAddress });
  }
}
