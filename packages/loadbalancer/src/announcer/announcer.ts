/**
 * The part of the speaker that must never wait for anything else: heartbeats, the choice of who announces an address, and the answers to
 * ARP and NDP. It runs in a thread of its own that blocks in poll(); the main thread gives it, for each address, the nodes in the order
 * of the election, and the first one that is present announces. So a failover needs neither the main thread nor the API server.
 */
import { formatIp, type Ip, messageOf } from '@ballast/base';
import { POLLIN, pollFds, SystemCallError } from '@ballast/linux';
import { type AddressCounts, type Link, LinkPort, listLinks } from '@ballast/neighbor';
import { composeHeartbeat, parseHeartbeat } from '../membership/heartbeat.ts';
import { Membership } from '../membership/membership.ts';
import type { AnnouncedAddress, AnnouncerCommand, AnnouncerData, AnnouncerNews } from './announcer-protocol.ts';
import { EchoSocket } from './echo-socket.ts';
import { HeartbeatSocket } from './heartbeat-socket.ts';

/** How often interfaces are looked at for changes. */
const RESCAN_MS = 1000;
/** Owned addresses are announced again this often, for switches and hosts that lost what they knew. */
const REFRESH_MS = 60_000;
/** Times that a leaving speaker says so; datagrams get lost. */
const LEAVE_REPEATS = 3;

/** A flood on one socket must not starve the others. */
const MAX_DATAGRAMS_PER_ROUND = 256;

type Assignment = Extract<AnnouncerCommand, { kind: 'assign' }>;

export class Announcer implements Disposable {
  readonly #data: AnnouncerData;
  readonly #post: (news: AnnouncerNews) => void;
  readonly #incarnation: number;
  readonly #membership: Membership;
  readonly #ports = new Map<string, LinkPort>();
  readonly #counts = new Map<string, AddressCounts>();
  #assignment: Assignment | undefined;
  #nodeByIp = new Map<string, string>();
  #socket: HeartbeatSocket | undefined;
  #echo: EchoSocket | undefined;
  #sequence = 0;
  #rescanAtMs = 0;
  #owned = '';
  #linkNames: string | undefined;
  #warned = '';

  constructor(options: {
    readonly data: AnnouncerData;
    readonly incarnation: number;
    readonly post: (news: AnnouncerNews) => void;
  }) {
    this.#data = options.data;
    this.#post = options.post;
    this.#incarnation = options.incarnation;
    this.#membership = new Membership(options.data.timings);
  }

  assign(assignment: Assignment, nowMs: number): void {
    this.#assignment = assignment;
    this.#nodeByIp = new Map(assignment.peers.map(({ node, ip }) => [formatIp(ip), node]));
    this.#membership.configure(
      assignment.peers.map(({ node }) => node),
      nowMs,
    );
    this.#elect(nowMs);
  }

  counts(): Readonly<Record<string, AddressCounts>> {
    return Object.fromEntries(this.#counts);
  }

  /** Blocks until something happens or is due, at most `maxMs`; true when the wake-up descriptor was signalled. */
  wait(nowMs: number, maxMs: number): boolean {
    const dues = [
      this.#membership.nextMs(),
      this.#assignment ? this.#rescanAtMs : undefined,
      ...[...this.#ports.values()].map((port) => port.nextMs()),
    ];
    const next = Math.min(nowMs + maxMs, ...dues.filter((due) => due !== undefined));
    const fds = [
      this.#data.wakeFd,
      ...(this.#socket ? [this.#socket.fd] : []),
      ...(this.#echo ? [this.#echo.fd] : []),
      ...[...this.#ports.values()].flatMap((port) => port.fds),
    ];
    const ready = pollFds(
      fds.map((fd) => ({ fd, events: POLLIN })),
      Math.max(0, Math.ceil(next - nowMs)),
    );
    return ready.has(this.#data.wakeFd);
  }

  /** Takes what has arrived and does what is due. */
  work(nowMs: number): void {
    if (!this.#assignment) return;
    let elect = this.#receiveHeartbeats(nowMs);
    const { send, changes } = this.#membership.tick(nowMs);
    if (send) {
      this.#heartbeat('alive');
      this.#askSuspects(nowMs);
    }
    elect ||= changes.length > 0;
    if (nowMs >= this.#rescanAtMs) {
      this.#rescanAtMs = nowMs + RESCAN_MS;
      elect = this.#rescan() || elect;
    }
    if (elect) {
      this.#elect(nowMs);
      this.#post({ kind: 'members', members: this.#membership.states() });
    }
    for (const [name, port] of this.#ports) {
      try {
        port.receive();
        port.tick(nowMs);
      } catch (error) {
        if (!(error instanceof SystemCallError)) throw error;
        this.#closePort(name);
        // The interface went down or away; the next scan opens it again when it is back.
        this.#warn(`${name}: ${messageOf(error)}`);
      }
    }
  }

  /** Says goodbye; the next owners announce within a round trip. */
  leave(): void {
    for (let i = 0; i < LEAVE_REPEATS; i++) this.#heartbeat('leave');
  }

  [Symbol.dispose](): void {
    for (const name of [...this.#ports.keys()]) this.#closePort(name);
    this.#socket?.[Symbol.dispose]();
    this.#socket = undefined;
    this.#echo?.[Symbol.dispose]();
    this.#echo = undefined;
  }

  #heartbeat(kind: 'alive' | 'leave'): void {
    const assignment = this.#assignment;
    if (!assignment) return;
    try {
      this.#socket ??= new HeartbeatSocket({ address: this.#data.nodeIp, port: this.#data.port });
    } catch (error) {
      this.#warn(`heartbeats: ${messageOf(error)}`);
      return;
    }
    const sequence = this.#sequence++;
    const bytes = composeHeartbeat(
      { kind, node: this.#data.node, incarnation: this.#incarnation, sequence },
      assignment.key,
    );
    for (const { ip } of assignment.peers) this.#socket.send(ip, bytes);
  }

  #askSuspects(nowMs: number): void {
    const suspects = this.#membership.suspects(nowMs);
    if (suspects.length === 0 || !this.#assignment) return;
    try {
      this.#echo ??= new EchoSocket({ address: this.#data.nodeIp, identifier: process.pid });
    } catch (error) {
      this.#warn(`echo: ${messageOf(error)}`);
      return;
    }
    for (const { node, ip } of this.#assignment.peers) if (suspects.includes(node)) this.#echo.ask(ip);
  }

  #receiveHeartbeats(nowMs: number): boolean {
    if (!this.#socket || !this.#assignment) return false;
    let changed = false;
    for (let count = 0; count < MAX_DATAGRAMS_PER_ROUND; count++) {
      const datagram = this.#socket.receive();
      if (!datagram) break;
      const heartbeat = parseHeartbeat(datagram.bytes, this.#assignment.key);
      if (heartbeat && this.#membership.receive(heartbeat, nowMs).length > 0) changed = true;
    }
    for (const host of [...this.#socket.refusals(), ...(this.#echo?.answers() ?? [])]) {
      const node = this.#nodeByIp.get(host);
      if (node !== undefined) this.#membership.kernelAnswered(node, nowMs);
    }
    return changed;
  }

  /** Opens and closes ports as interfaces come and go; true when the set has changed. */
  #rescan(): boolean {
    const links = listLinks();
    const describe = (link: Link) =>
      JSON.stringify([link.index, link.mac, link.linkLocal === undefined ? '' : formatIp(link.linkLocal)]);
    let changed = false;
    for (const [name, port] of this.#ports) {
      const link = links.find((candidate) => candidate.name === name);
      if (link && describe(link) === describe(port.link)) continue;
      this.#closePort(name);
      changed = true;
    }
    const ownMacs = new Set(links.map(({ mac }) => mac));
    for (const link of links) {
      if (this.#ports.has(link.name)) continue;
      try {
        const port = new LinkPort({
          link,
          ownMacs,
          refreshMs: REFRESH_MS,
          count: (ip) => this.#countOf(ip),
          onConflict: (address, mac) => this.#post({ kind: 'conflict', address, mac, link: link.name }),
        });
        this.#ports.set(link.name, port);
        changed = true;
      } catch (error) {
        this.#warn(`${link.name}: ${messageOf(error)}`);
      }
    }
    const names = [...this.#ports.keys()].sort();
    if (names.join() !== this.#linkNames) this.#post({ kind: 'links', names });
    this.#linkNames = names.join();
    return changed;
  }

  #closePort(name: string): void {
    this.#ports.get(name)?.[Symbol.dispose]();
    this.#ports.delete(name);
  }

  /** Makes the addresses on each interface those that this node shall announce there. */
  #elect(nowMs: number): void {
    const mine = (this.#assignment?.addresses ?? []).filter((address) => this.#ownerOf(address) === this.#data.node);
    for (const [name, port] of this.#ports) {
      const wanted = new Map<string, Ip>();
      for (const { ip, interfaces } of mine) {
        if (interfaces.length === 0 || interfaces.includes(name)) wanted.set(formatIp(ip), ip);
      }
      for (const ip of port.owned) if (!wanted.has(formatIp(ip))) port.drop(ip);
      for (const ip of wanted.values()) {
        try {
          port.take(ip, nowMs);
        } catch (error) {
          this.#warn(`${formatIp(ip)} on ${name}: ${messageOf(error)}`);
        }
      }
    }
    const addresses = mine.map(({ ip }) => formatIp(ip)).sort();
    if (addresses.join() !== this.#owned) this.#post({ kind: 'owned', addresses });
    this.#owned = addresses.join();
    const kept = new Set(addresses);
    for (const ip of this.#counts.keys()) if (!kept.has(ip)) this.#counts.delete(ip);
  }

  #ownerOf({ candidates }: AnnouncedAddress): string | undefined {
    return candidates.find((node) => node === this.#data.node || this.#membership.isPresent(node));
  }

  #countOf(ip: string): AddressCounts {
    let counts = this.#counts.get(ip);
    if (!counts) {
      counts = { requests: 0, replies: 0, announcements: 0 };
      this.#counts.set(ip, counts);
    }
    return counts;
  }

  #warn(message: string): void {
    if (message !== this.#warned) this.#post({ kind: 'warning', message });
    this.#warned = message;
  }
}
