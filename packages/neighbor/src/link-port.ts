import { ByteReader, formatIp, type Ip, ipToBytes } from '@ballast/base';
import { PacketSocket } from '@ballast/linux';
import { ETHERTYPE_ARP, ETHERTYPE_IPV6, type Mac, macToBytes } from './ethernet.ts';
import { ARP_FILTER, NDP_FILTER } from './filters.ts';
import type { Link } from './links.ts';
import { multicastMac, solicitedNodeGroup } from './ndp.ts';
import { Responder, type ResponderEffect } from './responder.ts';

/** Counts of one address, for metrics. */
export interface AddressCounts {
  requests: number;
  replies: number;
  announcements: number;
}

const MAX_FRAMES_PER_ROUND = 256;

/**
 * The responder of one interface on real sockets. Belongs to a thread that polls `fds` and calls `receive` and `tick`; nothing here
 * blocks. Throws SystemCallError when the interface is gone; dispose the port then.
 */
export class LinkPort implements Disposable {
  readonly link: Link;
  readonly #arp: PacketSocket;
  readonly #ndp: PacketSocket;
  readonly #responder: Responder;
  readonly #count: (ip: string) => AddressCounts;
  readonly #onConflict: (ip: string, mac: Mac) => void;
  /** Solicited-node groups are shared by addresses with equal ends. */
  readonly #groups = new Map<string, number>();

  constructor(options: {
    readonly link: Link;
    readonly ownMacs: ReadonlySet<Mac>;
    readonly refreshMs: number;
    readonly count: (ip: string) => AddressCounts;
    readonly onConflict: (ip: string, mac: Mac) => void;
  }) {
    this.link = options.link;
    this.#count = options.count;
    this.#onConflict = options.onConflict;
    this.#responder = new Responder(options);
    const interfaceIndex = options.link.index;
    this.#arp = new PacketSocket({ interfaceIndex, protocol: ETHERTYPE_ARP, filter: ARP_FILTER });
    try {
      this.#ndp = new PacketSocket({ interfaceIndex, protocol: ETHERTYPE_IPV6, filter: NDP_FILTER });
    } catch (error) {
      this.#arp[Symbol.dispose]();
      throw error;
    }
  }

  get fds(): readonly number[] {
    return [this.#arp.fd, this.#ndp.fd];
  }

  take(ip: Ip, nowMs: number): void {
    if (this.#responder.owns(ip)) return;
    this.#responder.take(ip, nowMs);
    if (ip.family === 6) this.#join(solicitedNodeGroup(ip));
  }

  drop(ip: Ip): void {
    if (!this.#responder.owns(ip)) return;
    this.#responder.drop(ip);
    if (ip.family === 6) this.#leave(solicitedNodeGroup(ip));
  }

  get owned(): Ip[] {
    return this.#responder.owned;
  }

  nextMs(): number | undefined {
    return this.#responder.nextMs();
  }

  tick(nowMs: number): void {
    for (const effect of this.#responder.tick(nowMs)) this.#perform(effect);
  }

  /** Takes the frames that wait, up to a bound that keeps a flood on one interface from starving the others. */
  receive(): void {
    for (const socket of [this.#arp, this.#ndp]) {
      for (let count = 0; count < MAX_FRAMES_PER_ROUND; count++) {
        const frame = socket.receive();
        if (!frame) break;
        for (const effect of this.#responder.receive(frame)) this.#perform(effect);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#arp[Symbol.dispose]();
    this.#ndp[Symbol.dispose]();
  }

  #perform(effect: ResponderEffect): void {
    switch (effect.kind) {
      case 'request':
        this.#count(effect.ip).requests += 1;
        return;
      case 'conflict':
        this.#onConflict(effect.ip, effect.mac);
        return;
      case 'send': {
        (etherTypeOf(effect.frame) === ETHERTYPE_ARP ? this.#arp : this.#ndp).send(effect.frame);
        const counts = this.#count(effect.ip);
        if (effect.reason === 'reply') counts.replies += 1;
        else counts.announcements += 1;
        return;
      }
      default:
        effect satisfies never;
    }
  }

  #join(group: Ip): void {
    const key = formatIp(group);
    const users = this.#groups.get(key) ?? 0;
    this.#groups.set(key, users + 1);
    if (users > 0) return;
    this.#ndp.acceptMulticast(macToBytes(multicastMac(group)));
    this.#ndp.joinGroup(ipToBytes(group));
  }

  #leave(group: Ip): void {
    const key = formatIp(group);
    const users = (this.#groups.get(key) ?? 1) - 1;
    if (users > 0) {
      this.#groups.set(key, users);
      return;
    }
    this.#groups.delete(key);
    this.#ndp.leaveGroup(ipToBytes(group));
  }
}

function etherTypeOf(frame: Uint8Array): number {
  return new ByteReader(frame.subarray(12, 14)).u16();
}
