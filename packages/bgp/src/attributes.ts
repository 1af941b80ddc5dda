import type { Cidr, Ip } from '@ballast/base';
import type { Community, LargeCommunity } from './community.ts';
import type { AfiSafi } from './family.ts';

export const ORIGINS = ['igp', 'egp', 'incomplete'] as const;
export type Origin = (typeof ORIGINS)[number];

/** One segment of an AS path (RFC 4271 section 4.3, RFC 5065). */
export interface AsPathSegment {
  readonly type: 'set' | 'sequence' | 'confed-sequence' | 'confed-set';
  readonly asns: readonly number[];
}

export interface Aggregator {
  readonly asn: number;
  readonly address: Ip;
}

/** MP_REACH_NLRI (RFC 4760). Prefixes of families that the speaker does not carry are left out. */
export interface MpReach extends AfiSafi {
  /** Global address, then link-local (RFC 2545); one or two. */
  readonly nextHops: readonly Ip[];
  readonly prefixes: readonly Cidr[];
}

export interface MpUnreach extends AfiSafi {
  readonly prefixes: readonly Cidr[];
}

/** An optional attribute that is not in the table. */
export interface UnknownAttribute {
  readonly code: number;
  readonly flags: number;
  readonly value: Uint8Array;
}

/** The value of each attribute that the table knows. */
export interface AttributeValues {
  origin: Origin;
  asPath: readonly AsPathSegment[];
  nextHop: Ip;
  med: number;
  localPref: number;
  atomicAggregate: true;
  aggregator: Aggregator;
  communities: readonly Community[];
  originatorId: Ip;
  clusterList: readonly Ip[];
  mpReach: MpReach;
  mpUnreach: MpUnreach;
  extendedCommunities: readonly bigint[];
  as4Path: readonly AsPathSegment[];
  as4Aggregator: Aggregator;
  largeCommunities: readonly LargeCommunity[];
}

export type AttributeName = keyof AttributeValues;

/** Path attributes of an UPDATE; absent ones are not there. */
export type PathAttributes = Partial<AttributeValues> & { unknown?: readonly UnknownAttribute[] };
