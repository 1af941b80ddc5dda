/**
 * One BGP peer, as a machine without I/O: events and time in, effects out (RFC 4271 section 8).
 *
 * A peer has at most one outgoing and one incoming connection; each is in one of the states Connecting, OpenSent, OpenConfirm and
 * Established, and the state of the peer is that of its furthest connection. When there is none, the peer is Active (waiting to
 * connect again, and ready to accept) or Idle (waiting after an error). Collisions are settled when an OPEN arrives (section 6.8).
 *
 * Departs from RFC 4271 in these points: the connect retry time is seconds rather than two minutes; DelayOpen is absent; Idle after an
 * error lasts half a second at first and doubles up to the connect retry time.
 */
import { type Cidr, formatCidr, type Ip, ipToBytes, messageOf } from '@ballast/base';
import { AdjRibOut, composeEndOfRib } from './adj-rib-out.ts';
import type { AttributeContext } from './attribute-table.ts';
import { type Negotiated, negotiate, ownCapabilities } from './capability.ts';
import {
  BgpError,
  CEASE,
  FAMILIES,
  type Family,
  familyOf,
  familyOfIp,
  formatNotification,
  NOTIFICATION_CODES,
} from './family.ts';
import {
  composeMessage,
  Framer,
  type IncomingMessage,
  type Open,
  type OutgoingMessage,
  parseMessage,
} from './message.ts';
import { type ExportRoute, exportAttributes, type PeerConfig } from './session-config.ts';

export const SESSION_STATES = ['Idle', 'Connect', 'Active', 'OpenSent', 'OpenConfirm', 'Established'] as const;
export type SessionState = (typeof SESSION_STATES)[number];

/** Names of timers; those of a connection end in its number. */
export type TimerName = 'connect-retry' | 'idle-hold' | `hold ${number}` | `keepalive ${number}`;

export type SessionEvent =
  | { readonly kind: 'start' }
  /** Closes with Cease and this subcode; `silent` closes without a word, so that a peer with graceful restart keeps our routes. */
  | { readonly kind: 'stop'; readonly subcode: number }
  | { readonly kind: 'stop-silently' }
  | { readonly kind: 'connected'; readonly connection: number; readonly localAddress: Ip }
  | { readonly kind: 'accepted'; readonly connection: number; readonly localAddress: Ip }
  | { readonly kind: 'closed'; readonly connection: number; readonly why: string }
  | { readonly kind: 'data'; readonly connection: number; readonly bytes: Uint8Array }
  | { readonly kind: 'timer'; readonly timer: TimerName }
  /** Routes were changed; tell the peer. */
  | { readonly kind: 'flush' };

export type SessionEffect =
  | { readonly kind: 'connect'; readonly connection: number }
  | { readonly kind: 'send'; readonly connection: number; readonly bytes: Uint8Array }
  /** Close after what was sent before. */
  | { readonly kind: 'close'; readonly connection: number }
  | { readonly kind: 'set-timer'; readonly timer: TimerName; readonly delayMs: number }
  | { readonly kind: 'clear-timer'; readonly timer: TimerName }
  | { readonly kind: 'state'; readonly from: SessionState; readonly to: SessionState; readonly why: string }
  | { readonly kind: 'warning'; readonly message: string };

type MessageType = OutgoingMessage['type'];

/** What is known of a peer, for status and metrics. */
export interface SessionReport {
  readonly name: string;
  readonly state: SessionState;
  readonly lastError: string | undefined;
  readonly peerAsn: number | undefined;
  readonly holdTimeSeconds: number | undefined;
  readonly families: readonly Family[];
  readonly announcedPrefixes: number;
  readonly pendingPrefixes: number;
  readonly sent: Readonly<Record<MessageType, number>>;
  readonly received: Readonly<Record<MessageType, number>>;
}

interface Connection {
  readonly id: number;
  readonly outgoing: boolean;
  state: 'Connecting' | 'OpenSent' | 'OpenConfirm' | 'Established';
  readonly framer: Framer;
  localAddress: Ip | undefined;
  open: Open | undefined;
  negotiated: Negotiated | undefined;
  holdTimeSeconds: number;
}

/** RFC 4271 section 8.2.2: the hold timer while waiting for an OPEN. */
const OPEN_WAIT_MS = 240_000;
const MIN_IDLE_HOLD_MS = 500;

const noMessages = (): Record<MessageType, number> => ({
  open: 0,
  update: 0,
  notification: 0,
  keepalive: 0,
  'route-refresh': 0,
});

export class PeerSession {
  readonly config: PeerConfig;
  readonly #random: () => number;
  readonly #routes = new Map<string, ExportRoute>();
  readonly #connections = new Map<number, Connection>();
  readonly #sent = noMessages();
  readonly #received = noMessages();
  #rib: AdjRibOut | undefined;
  #effects: SessionEffect[] = [];
  #state: SessionState = 'Idle';
  #started = false;
  #waiting: 'Active' | 'Idle' = 'Idle';
  #nextConnection = 1;
  #failures = 0;
  #everEstablished = false;
  #lastError: string | undefined;

  /** `random` gives [0, 1) and only spreads timers. */
  constructor(config: PeerConfig, options: { readonly random: () => number }) {
    this.config = config;
    this.#random = options.random;
  }

  get state(): SessionState {
    return this.#state;
  }

  /** Remembers a route for the peer; takes effect with the next 'flush'. */
  announce(route: ExportRoute): void {
    this.#routes.set(formatCidr(route.prefix), route);
    this.#announceOn(this.#rib, route);
  }

  withdraw(prefix: Cidr): void {
    this.#routes.delete(formatCidr(prefix));
    this.#rib?.withdraw(prefix);
  }

  /** Reserves a number for an incoming connection. */
  nextConnection(): number {
    return this.#nextConnection++;
  }

  report(): SessionReport {
    const established = this.#established();
    return {
      name: this.config.name,
      state: this.#state,
      lastError: this.#lastError,
      peerAsn: established?.open?.asn,
      holdTimeSeconds: established?.holdTimeSeconds,
      families: [...(established?.negotiated?.families ?? [])],
      announcedPrefixes: this.#rib?.size ?? 0,
      pendingPrefixes: this.#rib ? this.#rib.pending : this.#routes.size,
      sent: { ...this.#sent },
      received: { ...this.#received },
    };
  }

  handle(event: SessionEvent): SessionEffect[] {
    this.#effects = [];
    const why = this.#dispatch(event);
    this.#updateState(why);
    return this.#effects;
  }

  #dispatch(event: SessionEvent): string {
    switch (event.kind) {
      case 'start':
        this.#started = true;
        this.#connect();
        return 'started';
      case 'stop':
        this.#started = false;
        for (const connection of [...this.#connections.values()]) {
          this.#drop(connection, new BgpError('cease', event.subcode, 'stopped'));
        }
        return this.#settle('stopped');
      case 'stop-silently':
        this.#started = false;
        for (const connection of [...this.#connections.values()]) this.#drop(connection);
        return this.#settle('stopped');
      case 'connected':
      case 'accepted':
        return this.#onConnected(event);
      case 'closed':
        return this.#onClosed(event.connection, event.why);
      case 'data':
        return this.#onData(event.connection, event.bytes);
      case 'timer':
        return this.#onTimer(event.timer);
      case 'flush':
        this.#flush();
        return '';
      default:
        return event satisfies never;
    }
  }

  #onConnected(event: Extract<SessionEvent, { kind: 'connected' | 'accepted' }>): string {
    if (!this.#started || (event.kind === 'accepted' && this.#state === 'Idle')) {
      this.#effects.push({ kind: 'close', connection: event.connection });
      return '';
    }
    let connection = this.#connections.get(event.connection);
    if (!connection) {
      if (event.kind === 'connected') {
        this.#effects.push({ kind: 'close', connection: event.connection });
        return '';
      }
      connection = newConnection(event.connection, { outgoing: false });
      // The peer has one reason to connect twice: it lost the first connection.
      const previous = [...this.#connections.values()].find(
        (other) => !other.outgoing && other.state !== 'Established',
      );
      if (previous) this.#drop(previous);
      this.#connections.set(event.connection, connection);
    }
    connection.state = 'OpenSent';
    connection.localAddress = event.localAddress;
    this.#effects.push({ kind: 'clear-timer', timer: 'connect-retry' });
    this.#send(connection, this.#ownOpen());
    this.#setTimer(`hold ${connection.id}`, OPEN_WAIT_MS);
    return event.kind;
  }

  #onClosed(id: number, why: string): string {
    const connection = this.#connections.get(id);
    if (!connection) return '';
    this.#forget(connection);
    this.#lastError = why;
    // A connection that never worked is tried again at the retry time, one that broke soon.
    return this.#settle(why, connection.state === 'Established' ? 'Idle' : 'Active');
  }

  #onData(id: number, bytes: Uint8Array): string {
    const connection = this.#connections.get(id);
    if (!connection || connection.state === 'Connecting') return '';
    let why = '';
    try {
      for (const message of connection.framer.push(bytes)) {
        const parsed = parseMessage(message, this.#contextOf(connection));
        this.#received[parsed.type] += 1;
        why = this.#onMessage(connection, parsed) || why;
        if (!this.#connections.has(id)) break;
      }
      return why;
    } catch (error) {
      const fault = error instanceof BgpError ? error : new BgpError('cease', 0, messageOf(error));
      this.#lastError = `${formatNotification(NOTIFICATION_CODES[fault.code], fault.subcode)} sent: ${fault.message}`;
      this.#drop(connection, fault);
      return this.#settle(this.#lastError);
    }
  }

  /** Returns why the state changed, if it did; throws BgpError to end the connection. */
  #onMessage(connection: Connection, message: IncomingMessage): string {
    if (message.type === 'notification') {
      this.#lastError = `${formatNotification(message.code, message.subcode)} received`;
      this.#drop(connection);
      return this.#settle(this.#lastError);
    }
    switch (connection.state) {
      case 'OpenSent':
        if (message.type !== 'open') throw new BgpError('finite-state-machine', 1, `${message.type} instead of OPEN`);
        return this.#onOpen(connection, message);
      case 'OpenConfirm':
        if (message.type !== 'keepalive')
          throw new BgpError('finite-state-machine', 2, `${message.type} instead of KEEPALIVE`);
        return this.#onEstablished(connection);
      case 'Established':
        this.#restartHold(connection);
        if (message.type === 'open') throw new BgpError('finite-state-machine', 3, 'OPEN in Established');
        if (message.type === 'update') this.#warn(message.faults);
        if (message.type === 'route-refresh') this.#onRouteRefresh(message);
        return '';
      case 'Connecting':
        return '';
      default:
        return connection.state satisfies never;
    }
  }

  #onOpen(connection: Connection, open: Open): string {
    const { localAsn, peerAsn, families } = this.config;
    const asnFits =
      peerAsn === 'internal'
        ? open.asn === localAsn
        : peerAsn === 'external'
          ? open.asn !== localAsn
          : open.asn === peerAsn;
    if (!asnFits) throw new BgpError('open-message', 2, `the peer is AS ${open.asn}, expected ${peerAsn}`);
    if (open.identifier === this.#identifier() && open.asn === localAsn) {
      throw new BgpError('open-message', 3, 'the peer has our own BGP identifier');
    }
    const negotiated = negotiate(ownCapabilities({ asn: localAsn, families }), open.capabilities);
    if (negotiated.families.size === 0) throw new BgpError('open-message', 7, 'no address family in common');

    for (const other of [...this.#connections.values()]) {
      if (other === connection || other.state === 'Connecting' || other.state === 'OpenSent') continue;
      if (this.#winner(connection, other, open) !== connection)
        throw new BgpError('cease', CEASE.collisionResolution, 'connection collision');
      if (other.state === 'Established') this.#drop(other);
      else this.#drop(other, new BgpError('cease', CEASE.collisionResolution, 'connection collision'));
    }

    connection.open = open;
    connection.negotiated = negotiated;
    connection.holdTimeSeconds = Math.min(open.holdTimeSeconds, this.config.holdTimeSeconds);
    connection.state = 'OpenConfirm';
    this.#send(connection, { type: 'keepalive' });
    this.#restartHold(connection);
    this.#setKeepalive(connection);
    return 'OPEN received';
  }

  /** RFC 4271 section 6.8; RFC 4724 section 4.2 when the other one is established; RFC 6286 for equal identifiers. */
  #winner(fresh: Connection, other: Connection, open: Open): Connection {
    if (other.state === 'Established') return other.negotiated?.peerRestart ? fresh : other;
    if (fresh.outgoing === other.outgoing) return fresh;
    const own = this.#identifier();
    const weConnect = own === open.identifier ? this.config.localAsn > open.asn : own > open.identifier;
    return fresh.outgoing === weConnect ? fresh : other;
  }

  #onEstablished(connection: Connection): string {
    connection.state = 'Established';
    this.#restartHold(connection);
    for (const other of [...this.#connections.values()]) if (other !== connection) this.#drop(other);
    this.#failures = 0;
    this.#everEstablished = true;
    this.#lastError = undefined;
    this.#rib = new AdjRibOut();
    for (const route of this.#routes.values()) this.#announceOn(this.#rib, route);
    this.#flush();
    // RFC 4724 section 4.1: the marker ends the restart, and lets the peer forget what is stale.
    if (connection.negotiated?.peerRestart) {
      for (const family of FAMILIES) {
        if (connection.negotiated.families.has(family)) this.#sendUpdate(connection, composeEndOfRib(family));
      }
    }
    return 'KEEPALIVE received';
  }

  #onRouteRefresh(message: Extract<IncomingMessage, { type: 'route-refresh' }>): void {
    const family = familyOf(message);
    if (!family || message.subtype !== 0) return;
    this.#rib?.repeat(family);
    this.#flush();
  }

  #onTimer(timer: TimerName): string {
    if (timer === 'connect-retry' || timer === 'idle-hold') {
      if (this.#started && this.#connections.size === 0) this.#connect();
      return timer;
    }
    const [kind, id] = timer.split(' ');
    const connection = this.#connections.get(Number(id));
    if (!connection) return '';
    if (kind === 'keepalive') {
      this.#send(connection, { type: 'keepalive' });
      this.#setKeepalive(connection);
      return '';
    }
    this.#lastError = 'Hold Timer Expired';
    this.#drop(connection, new BgpError('hold-timer-expired', 0, 'nothing was heard for the hold time'));
    return this.#settle(this.#lastError);
  }

  #connect(): void {
    if (this.config.passive) {
      this.#waiting = 'Active';
      return;
    }
    const connection = newConnection(this.nextConnection(), { outgoing: true });
    this.#connections.set(connection.id, connection);
    this.#effects.push({ kind: 'connect', connection: connection.id });
  }

  /** What to do when connections have gone: wait, unless another one lives. */
  #settle(why: string, waiting: 'Active' | 'Idle' = 'Idle'): string {
    if (this.#connections.size > 0) return why;
    this.#waiting = this.#started ? waiting : 'Idle';
    if (!this.#started) {
      this.#effects.push({ kind: 'clear-timer', timer: 'connect-retry' }, { kind: 'clear-timer', timer: 'idle-hold' });
      return why;
    }
    const retryMs = this.config.connectRetryMs;
    const idleMs = Math.min(MIN_IDLE_HOLD_MS * 2 ** Math.min(this.#failures, 20), Math.max(MIN_IDLE_HOLD_MS, retryMs));
    this.#failures += 1;
    if (waiting === 'Active') this.#setTimer('connect-retry', retryMs * this.#jitter());
    else this.#setTimer('idle-hold', idleMs * this.#jitter());
    return why;
  }

  /** Ends a connection, with a NOTIFICATION if there is something to say and someone to hear it. */
  #drop(connection: Connection, fault?: BgpError): void {
    if (fault && connection.state !== 'Connecting') {
      this.#send(connection, {
        type: 'notification',
        code: NOTIFICATION_CODES[fault.code],
        subcode: fault.subcode,
        data: fault.data.subarray(0, 1024),
      });
    }
    this.#effects.push({ kind: 'close', connection: connection.id });
    this.#forget(connection);
  }

  #forget(connection: Connection): void {
    this.#connections.delete(connection.id);
    this.#effects.push(
      { kind: 'clear-timer', timer: `hold ${connection.id}` },
      { kind: 'clear-timer', timer: `keepalive ${connection.id}` },
    );
    if (connection.state === 'Established') this.#rib = undefined;
  }

  #flush(): void {
    const connection = this.#established();
    if (!connection?.negotiated || !this.#rib) return;
    for (const bytes of this.#rib.takeUpdates(connection.negotiated.families, this.#contextOf(connection))) {
      this.#sendUpdate(connection, bytes);
    }
  }

  #announceOn(rib: AdjRibOut | undefined, route: ExportRoute): void {
    const connection = this.#established();
    if (!rib || !connection?.negotiated?.families.has(familyOfIp(route.prefix.ip))) return;
    const { localAddress } = connection;
    const nextHops = { ...this.config.nextHops, ...(localAddress ? { [localAddress.family]: localAddress } : {}) };
    const internal = connection.open?.asn === this.config.localAsn;
    const attributes = exportAttributes(route, {
      localAsn: this.config.localAsn,
      internal,
      fourOctetAs: connection.negotiated?.fourOctetAs ?? false,
      nextHops,
    });
    if (attributes) rib.announce({ prefix: route.prefix, attributes });
    else this.#warn([`no next hop for ${formatCidr(route.prefix)}: this node has no address of that family`]);
  }

  #established(): Connection | undefined {
    for (const connection of this.#connections.values()) if (connection.state === 'Established') return connection;
    return undefined;
  }

  #ownOpen(): Open {
    const { localAsn, families, gracefulRestart, holdTimeSeconds } = this.config;
    const restart = gracefulRestart && {
      restartTimeSeconds: gracefulRestart.restartTimeSeconds,
      restarting: gracefulRestart.restarted && !this.#everEstablished,
      // Only a restart of the machine stops forwarding; a session that merely broke does not.
      forwardingPreserved: gracefulRestart.forwardingPreserved || this.#everEstablished,
    };
    const capabilities = ownCapabilities({ asn: localAsn, families, gracefulRestart: restart });
    return { type: 'open', asn: localAsn, holdTimeSeconds, identifier: this.#identifier(), capabilities };
  }

  #identifier(): number {
    return Buffer.from(ipToBytes(this.config.routerId)).readUInt32BE(0);
  }

  #contextOf(connection: Connection): AttributeContext {
    return {
      fourOctetAs: connection.negotiated?.fourOctetAs ?? false,
      internal: connection.open?.asn === this.config.localAsn,
    };
  }

  #send(connection: Connection, message: OutgoingMessage): void {
    this.#sent[message.type] += 1;
    const bytes = composeMessage(message, this.#contextOf(connection));
    this.#effects.push({ kind: 'send', connection: connection.id, bytes });
  }

  #sendUpdate(connection: Connection, bytes: Uint8Array): void {
    this.#sent.update += 1;
    this.#effects.push({ kind: 'send', connection: connection.id, bytes });
  }

  #restartHold(connection: Connection): void {
    const timer: TimerName = `hold ${connection.id}`;
    if (connection.holdTimeSeconds === 0) this.#effects.push({ kind: 'clear-timer', timer });
    else this.#setTimer(timer, connection.holdTimeSeconds * 1000);
  }

  #setKeepalive(connection: Connection): void {
    if (connection.holdTimeSeconds === 0) return;
    const third = connection.holdTimeSeconds / 3;
    const seconds = Math.min(this.config.keepaliveSeconds ?? third, third);
    this.#setTimer(`keepalive ${connection.id}`, seconds * 1000 * this.#jitter());
  }

  /** RFC 4271 section 10: 0.75 to 1. */
  #jitter(): number {
    return 0.75 + this.#random() * 0.25;
  }

  #setTimer(timer: TimerName, delayMs: number): void {
    this.#effects.push({ kind: 'set-timer', timer, delayMs });
  }

  #warn(messages: readonly string[]): void {
    for (const message of messages) this.#effects.push({ kind: 'warning', message });
  }

  #updateState(why: string): void {
    const to = this.#currentState();
    if (to === this.#state) return;
    this.#effects.push({ kind: 'state', from: this.#state, to, why });
    this.#state = to;
  }

  #currentState(): SessionState {
    const states = new Set([...this.#connections.values()].map((connection) => connection.state));
    for (const state of ['Established', 'OpenConfirm', 'OpenSent'] as const) if (states.has(state)) return state;
    return states.has('Connecting') ? 'Connect' : this.#waiting;
  }
}

function newConnection(id: number, { outgoing }: { readonly outgoing: boolean }): Connection {
  return {
    id,
    outgoing,
    state: 'Connecting',
    framer: new Framer(),
    localAddress: undefined,
    open: undefined,
    negotiated: undefined,
    holdTimeSeconds: 0,
  };
}
