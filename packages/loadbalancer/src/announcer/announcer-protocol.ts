import type { Ip } from '@ballast/base';
import type { AddressCounts, Mac } from '@ballast/neighbor';
import type { MemberReport, MembershipTimings } from '../membership/membership.ts';

/** What the thread is started with. */
export interface AnnouncerData {
  readonly wakeFd: number;
  readonly node: string;
  /** Our address on the network of the nodes; heartbeats leave and arrive there. */
  readonly nodeIp: Ip;
  readonly port: number;
  readonly timings: MembershipTimings;
}

/** An address, and who should announce it: the first of `candidates` that is present. */
export interface AnnouncedAddress {
  readonly ip: Ip;
  readonly candidates: readonly string[];
  /** Interfaces by name; empty means all that lead to a LAN. */
  readonly interfaces: readonly string[];
}

export type AnnouncerCommand =
  /** The whole state of affairs; the thread starts to speak with the first of these. */
  | {
      readonly kind: 'assign';
      readonly key: Uint8Array;
      readonly peers: readonly { readonly node: string; readonly ip: Ip }[];
      readonly addresses: readonly AnnouncedAddress[];
    }
  | { readonly kind: 'counts'; readonly request: number }
  /** With `handOver`, the others are told to take over now; else they wait for our return. */
  | { readonly kind: 'stop'; readonly handOver: boolean };

export type AnnouncerNews =
  /** All addresses that this node announces now. */
  | { readonly kind: 'owned'; readonly addresses: readonly string[] }
  | { readonly kind: 'members'; readonly members: readonly MemberReport[] }
  | { readonly kind: 'links'; readonly names: readonly string[] }
  | { readonly kind: 'conflict'; readonly address: string; readonly mac: Mac; readonly link: string }
  | { readonly kind: 'counts'; readonly request: number; readonly counts: Readonly<Record<string, AddressCounts>> }
  | { readonly kind: 'warning'; readonly message: string };
