import type { Cidr, Ip } from '@ballast/base';
import type { AsPathSegment, PathAttributes } from './attributes.ts';
import type { Community, LargeCommunity } from './community.ts';
import type { Family } from './family.ts';

/** RFC 4724, in the role of the speaker that may restart. */
export interface GracefulRestartConfig {
  /** How long the peer shall keep our routes while we are away; 1 to 4095. */
  readonly restartTimeSeconds: number;
  /** This process took over from one that died: its first OPEN carries the R bit. */
  readonly restarted: boolean;
  /** Packets were forwarded all the time since the last session (F bit). False after a reboot. */
  readonly forwardingPreserved: boolean;
}

/** One peer. Validated by whoever makes it; nothing here is checked again. */
export interface PeerConfig {
  /** Name in logs, metrics and status; unique within a speaker. */
  readonly name: string;
  readonly address: Ip;
  readonly port: number;
  /** AS number that the peer sees us in. */
  readonly localAsn: number;
  /** A number, or whether the peer must be in our AS, its number taken from its OPEN. */
  readonly peerAsn: number | 'internal' | 'external';
  /** BGP identifier. */
  readonly routerId: Ip;
  readonly sourceAddress?: Ip;
  /** Zero means no hold timer, else at least 3. */
  readonly holdTimeSeconds: number;
  readonly keepaliveSeconds?: number;
  readonly connectRetryMs: number;
  /** TCP MD5 signature key (RFC 2385), at most 80 bytes. */
  readonly password?: string;
  /** IP TTL of our packets: 1 for neighbours on a link, more for multihop. */
  readonly ttl: number;
  /** Bind the connection to this interface or VRF device. */
  readonly device?: string;
  readonly families: readonly Family[];
  readonly gracefulRestart?: GracefulRestartConfig;
  /** Wait for the peer to connect, never connect ourselves. */
  readonly passive?: boolean;
  /** Next hops for families other than the one of the session's own addresses. */
  readonly nextHops?: { readonly 4?: Ip; readonly 6?: Ip };
}

/** A route to announce to one peer, before the rules of the session (next hop, AS path) are applied. */
export interface ExportRoute {
  readonly prefix: Cidr;
  /** Sent to internal peers only; 100 when absent. */
  readonly localPref?: number;
  readonly med?: number;
  readonly communities?: readonly Community[];
  readonly largeCommunities?: readonly LargeCommunity[];
}

const DEFAULT_LOCAL_PREF = 100;

/**
 * The path attributes that a route of our own gets on a session (RFC 4271 section 5.1): next hop self; to external peers our AS in
 * AS_PATH, to internal ones an empty path and LOCAL_PREF. Undefined when we have no next hop of the route's family.
 */
export function exportAttributes(
  route: ExportRoute,
  session: {
    readonly localAsn: number;
    readonly internal: boolean;
    readonly fourOctetAs: boolean;
    readonly nextHops: { readonly 4?: Ip; readonly 6?: Ip };
  },
): PathAttributes | undefined {
  const nextHop = session.nextHops[route.prefix.ip.family];
  if (!nextHop) return undefined;
  const unique = <T>(values: readonly T[] | undefined, key: (value: T) => string) => [
    ...new Map((values ?? []).map((value) => [key(value), value])).values(),
  ];
  const communities = unique(route.communities, String).sort((a, b) => a - b);
  const largeCommunities = unique(route.largeCommunities, (value) => JSON.stringify(value));
  const asPath: AsPathSegment[] = session.internal ? [] : [{ type: 'sequence', asns: [session.localAsn] }];
  // A peer with 2-octet AS numbers is told AS_TRANS, and the truth beside it (RFC 6793 section 4.2.2).
  const needsAs4Path = !session.fourOctetAs && !session.internal && session.localAsn > 0xffff;
  return {
    origin: 'igp',
    asPath,
    ...(needsAs4Path ? { as4Path: asPath } : {}),
    nextHop,
    ...(route.med === undefined ? {} : { med: route.med }),
    ...(session.internal ? { localPref: route.localPref ?? DEFAULT_LOCAL_PREF } : {}),
    ...(communities.length === 0 ? {} : { communities }),
    ...(largeCommunities.length === 0 ? {} : { largeCommunities }),
  };
}
