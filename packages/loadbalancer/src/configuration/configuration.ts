import type { Cidr, Ip, IpRange } from '@ballast/base';
import type { Community, LargeCommunity } from '@ballast/bgp';
import type { KubeObject, LabelSelector, Labels } from '@ballast/kube';

/** One entry of a pool's `addresses`. */
export interface PoolRange {
  readonly text: string;
  readonly range: IpRange;
  /** The fewest prefixes that cover the range. */
  readonly cidrs: readonly Cidr[];
}

export interface Pool {
  readonly name: string;
  readonly labels: Labels;
  readonly ranges: readonly PoolRange[];
  readonly autoAssign: boolean;
  readonly avoidBuggyIps: boolean;
  /** Present when the pool has a serviceAllocation; such pools are tried first. */
  readonly allocation: PoolAllocation | undefined;
}

export interface PoolAllocation {
  /** Lower is tried first; Infinity when unset. */
  readonly priority: number;
  readonly namespaces: readonly string[];
  readonly namespaceSelectors: readonly LabelSelector[];
  readonly serviceSelectors: readonly LabelSelector[];
}

interface Advertisement {
  readonly name: string;
  readonly pools: ReadonlySet<string>;
  readonly nodeSelectors: readonly LabelSelector[];
  readonly serviceSelectors: readonly LabelSelector[];
}

export interface L2Ad extends Advertisement {
  /** Empty means all. */
  readonly interfaces: readonly string[];
  readonly preferences: readonly { readonly weight: number; readonly selector: LabelSelector }[];
}

export interface BgpAd extends Advertisement {
  readonly aggregationLength: Readonly<Record<4 | 6, number>>;
  readonly localPref: number;
  readonly communities: readonly Community[];
  readonly largeCommunities: readonly LargeCommunity[];
  /** Empty means all. */
  readonly peers: readonly string[];
}

export interface Peer {
  readonly name: string;
  readonly address: Ip;
  readonly port: number;
  readonly localAsn: number;
  readonly peerAsn: number | 'internal' | 'external';
  readonly sourceAddress: Ip | undefined;
  readonly routerId: Ip | undefined;
  readonly holdTimeSeconds: number;
  readonly keepaliveSeconds: number | undefined;
  readonly connectRetryMs: number;
  readonly password: string | undefined;
  readonly multihop: boolean;
  readonly gracefulRestart: boolean;
  readonly bothFamilies: boolean;
  readonly vrf: string | undefined;
  readonly nodeSelectors: readonly LabelSelector[];
}

/**
 * What is wrong with one object. An 'error' keeps the object out of the configuration, and only that object; 'unsupported' names a
 * feature that has no effect while the rest of the object does.
 */
export interface ObjectProblem {
  readonly object: KubeObject;
  readonly kind: string;
  readonly severity: 'error' | 'unsupported';
  readonly message: string;
}

/** What the user asked for, as far as it makes sense. */
export interface Configuration {
  readonly pools: readonly Pool[];
  readonly l2Ads: readonly L2Ad[];
  readonly bgpAds: readonly BgpAd[];
  readonly peers: readonly Peer[];
  readonly problems: readonly ObjectProblem[];
}
