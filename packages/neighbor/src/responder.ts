/**
 * Answers ARP requests and neighbor solicitations for addresses that are on no interface, and tells the link when such an address has
 * moved here. A machine without I/O: frames and time in, frames out.
 *
 * Departs from RFC 826 because the address belongs to a Service and not to the host: requests are answered without learning the sender.
 * Departs from RFC 4861 section 7.2.4 because the answer carries Override, so that a neighbour who still holds the previous node's
 * hardware address takes ours. Departs from RFC 5227 because no probe precedes an announcement: the address is known to be free of hosts,
 * or held by the node that has just died. A host that claims one of our addresses is reported.
 */
import { formatIp, type Ip, ipEquals } from '@ballast/base';
import { type ArpPacket, composeArp, parseArp } from './arp.ts';
import {
  BROADCAST_MAC,
  composeFrame,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV6,
  type Mac,
  parseFrame,
  ZERO_MAC,
} from './ethernet.ts';
import { ALL_NODES, composeNdp, multicastMac, type NdpPacket, parseNdp, UNSPECIFIED } from './ndp.ts';

/** The interface that a responder works on. */
export interface LinkIdentity {
  readonly name: string;
  readonly mac: Mac;
  /** Source of advertisements; without one, IPv6 is not answered. */
  readonly linkLocal: Ip | undefined;
}

export type ResponderEffect =
  | {
      readonly kind: 'send';
      readonly frame: Uint8Array;
      readonly ip: string;
      readonly reason: 'reply' | 'announcement';
    }
  | { readonly kind: 'request'; readonly ip: string }
  /** Another station says that it has this address. */
  | { readonly kind: 'conflict'; readonly ip: string; readonly mac: Mac };

/**
 * When an address is announced after it was taken, in ms: at once, soon again for switches that were busy, then about once a second
 * because some hosts accept no more than one unsolicited change per second.
 */
export const ANNOUNCE_AT_MS: readonly number[] = [0, 100, 300, 1100, 2200, 3300, 4400, 5500];

/** Another station's claims are told at most this often for each address, however many frames it sends. */
const CONFLICT_EVERY_MS = 1000;

interface Owned {
  readonly ip: Ip;
  /** Who last claimed it, until that is told. */
  claimedBy: Mac | undefined;
  /** Monotonic ms before which no claim is told. */
  quietUntilMs: number;
  /** Monotonic ms of announcements still to make, soonest first. */
  due: number[];
}

export class Responder {
  readonly link: LinkIdentity;
  readonly #owned = new Map<string, Owned>();
  /** Hardware addresses of our own other interfaces: they are no conflict. */
  readonly #ownMacs: ReadonlySet<Mac>;
  readonly #refreshMs: number;

  /** `refreshMs`: how often owned addresses are announced again for good measure. */
  constructor(options: {
    readonly link: LinkIdentity;
    readonly ownMacs: ReadonlySet<Mac>;
    readonly refreshMs: number;
  }) {
    this.link = options.link;
    this.#ownMacs = options.ownMacs;
    this.#refreshMs = options.refreshMs;
  }

  get owned(): Ip[] {
    return [...this.#owned.values()].map(({ ip }) => ip);
  }

  owns(ip: Ip): boolean {
    return this.#owned.has(formatIp(ip));
  }

  /** Takes an address; announcements follow from `tick`. */
  take(ip: Ip, nowMs: number): void {
    const key = formatIp(ip);
    if (this.#owned.has(key)) return;
    this.#owned.set(key, {
      ip,
      claimedBy: undefined,
      quietUntilMs: nowMs,
      due: ANNOUNCE_AT_MS.map((delayMs) => nowMs + delayMs),
    });
  }

  /** Announces an address again from the start, because something changed on the link. */
  announceAgain(nowMs: number): void {
    for (const owned of this.#owned.values()) owned.due = ANNOUNCE_AT_MS.map((delayMs) => nowMs + delayMs);
  }

  drop(ip: Ip): void {
    this.#owned.delete(formatIp(ip));
  }

  /** When `tick` is needed next, in monotonic ms. */
  nextMs(): number | undefined {
    let next: number | undefined;
    for (const { due } of this.#owned.values()) {
      const first = due[0];
      if (first !== undefined && (next === undefined || first < next)) next = first;
    }
    return next;
  }

  tick(nowMs: number): ResponderEffect[] {
    const effects: ResponderEffect[] = [];
    for (const [key, owned] of this.#owned) {
      if (owned.claimedBy !== undefined && nowMs >= owned.quietUntilMs) {
        effects.push({ kind: 'conflict', ip: key, mac: owned.claimedBy });
        owned.claimedBy = undefined;
        owned.quietUntilMs = nowMs + CONFLICT_EVERY_MS;
      }
      const late = owned.due.filter((dueMs) => dueMs <= nowMs);
      if (late.length === 0) continue;
      owned.due = owned.due.slice(late.length);
      if (owned.due.length === 0) owned.due.push(nowMs + this.#refreshMs);
      for (const frame of this.#announcements(owned.ip))
        effects.push({ kind: 'send', frame, ip: key, reason: 'announcement' });
    }
    return effects;
  }

  receive(bytes: Uint8Array): ResponderEffect[] {
    if (bytes.length < 14) return [];
    const frame = parseFrame(bytes);
    if (frame.source === this.link.mac) return [];
    if (frame.etherType === ETHERTYPE_ARP) {
      const arp = parseArp(frame.payload);
      return arp ? this.#onArp(arp) : [];
    }
    if (frame.etherType === ETHERTYPE_IPV6) {
      const ndp = parseNdp(frame.payload);
      return ndp ? this.#onNdp(ndp, frame.source) : [];
    }
    return [];
  }

  #onArp(arp: ArpPacket): ResponderEffect[] {
    const sender = formatIp(arp.senderIp);
    if (this.#owned.has(sender)) {
      this.#noteClaim(sender, arp.senderMac);
      return [];
    }
    const ip = formatIp(arp.targetIp);
    if (arp.operation !== 'request' || !this.#owned.has(ip)) return [];
    const { mac } = this.link;
    const reply = composeArp({
      operation: 'reply',
      senderMac: mac,
      senderIp: arp.targetIp,
      targetMac: arp.senderMac,
      targetIp: arp.senderIp,
    });
    const frame = composeFrame({ destination: arp.senderMac, source: mac, etherType: ETHERTYPE_ARP, payload: reply });
    return [
      { kind: 'request', ip },
      { kind: 'send', frame, ip, reason: 'reply' },
    ];
  }

  #onNdp({ source, message }: NdpPacket, sourceMac: Mac): ResponderEffect[] {
    const ip = formatIp(message.target);
    if (!this.#owned.has(ip)) return [];
    if (message.kind === 'advertisement') {
      this.#noteClaim(ip, message.targetMac ?? sourceMac);
      return [];
    }
    const { linkLocal } = this.link;
    if (!linkLocal) return [];
    // A host that checks whether the address is free (RFC 4862) has no address yet: it is answered through all-nodes. A unicast probe
    // carries no link-layer option (RFC 4861 section 7.2.2) and is answered at the frame's source.
    const duplicateCheck = ipEquals(source, UNSPECIFIED);
    const destination = duplicateCheck ? ALL_NODES : source;
    const frame = this.#advertisement(message.target, {
      linkLocal,
      destination,
      destinationMac: duplicateCheck ? multicastMac(ALL_NODES) : (message.sourceMac ?? sourceMac),
      solicited: !duplicateCheck,
    });
    return [
      { kind: 'request', ip },
      { kind: 'send', frame, ip, reason: 'reply' },
    ];
  }

  /** Told by the next `tick` that may. */
  #noteClaim(ip: string, mac: Mac): void {
    const owned = this.#owned.get(ip);
    if (owned && !this.#ownMacs.has(mac)) owned.claimedBy = mac;
  }

  /** Request and reply form, because some hosts update from one, some from the other (RFC 5227 section 3). */
  #announcements(ip: Ip): Uint8Array[] {
    const { mac, linkLocal } = this.link;
    if (ip.family === 6) {
      if (!linkLocal) return [];
      return [
        this.#advertisement(ip, {
          linkLocal,
          destination: ALL_NODES,
          destinationMac: multicastMac(ALL_NODES),
          solicited: false,
        }),
      ];
    }
    const frame = (operation: ArpPacket['operation'], targetMac: Mac) =>
      composeFrame({
        destination: BROADCAST_MAC,
        source: mac,
        etherType: ETHERTYPE_ARP,
        payload: composeArp({ operation, senderMac: mac, senderIp: ip, targetMac, targetIp: ip }),
      });
    return [frame('request', ZERO_MAC), frame('reply', BROADCAST_MAC)];
  }

  #advertisement(
    target: Ip,
    to: { readonly linkLocal: Ip; readonly destination: Ip; readonly destinationMac: Mac; readonly solicited: boolean },
  ): Uint8Array {
    const { mac } = this.link;
    const payload = composeNdp({
      source: to.linkLocal,
      destination: to.destination,
      message: {
        kind: 'advertisement',
        router: false,
        solicited: to.solicited,
        override: true,
        target,
        targetMac: mac,
      },
    });
    return composeFrame({ destination: to.destinationMac, source: mac, etherType: ETHERTYPE_IPV6, payload });
  }
}
