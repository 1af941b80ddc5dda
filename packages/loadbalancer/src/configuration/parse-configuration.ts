import type { KubeObject, Secret } from '@ballast/kube';
import type {
  BfdProfile,
  BgpAdvertisement,
  BgpPeer,
  CommunityList,
  IpAddressPool,
  L2Advertisement,
} from '../resources/kinds.ts';
import type { BgpAd, Configuration, L2Ad, ObjectProblem, Peer, Pool, PoolRange } from './configuration.ts';
import {
  type AnyCommunity,
  parseBgpAdvertisement,
  parseCommunityList,
  parseL2Advertisement,
} from './parse-advertisements.ts';
import { parsePeer } from './parse-peers.ts';
import { type Parsed, parsePool } from './parse-pools.ts';

/** The objects of MetalLB's namespace, as they are. */
export interface ConfigurationObjects {
  readonly pools: Iterable<IpAddressPool>;
  readonly l2Advertisements: Iterable<L2Advertisement>;
  readonly bgpAdvertisements: Iterable<BgpAdvertisement>;
  readonly peers: Iterable<BgpPeer>;
  readonly bfdProfiles: Iterable<BfdProfile>;
  readonly communities: Iterable<CommunityList>;
  readonly secretOf: (name: string) => Secret | undefined;
}

/**
 * From objects to a configuration. Every object is judged on its own: one that is wrong is left out and named in `problems`, all others
 * work. Where two objects contradict each other, the older one stands.
 */
export function parseConfiguration(objects: ConfigurationObjects): Configuration {
  const problems: ObjectProblem[] = [];
  const report = (
    kind: string,
    object: KubeObject,
    messages: readonly string[],
    severity: ObjectProblem['severity'] = 'error',
  ) => {
    for (const message of messages) problems.push({ kind, object, severity, message });
  };
  const collect = <Source extends KubeObject, T>(
    kind: string,
    sources: Iterable<Source>,
    parse: (source: Source, earlier: readonly T[]) => Parsed<T>,
  ): T[] => {
    const values: T[] = [];
    for (const source of oldestFirst(sources)) {
      const parsed = parse(source, values);
      if ('value' in parsed) values.push(parsed.value);
      else report(kind, source, parsed.problems);
    }
    return values;
  };

  const taken: { pool: string; range: PoolRange }[] = [];
  const pools = collect<IpAddressPool, Pool>('IPAddressPool', objects.pools, (object) => {
    const parsed = parsePool(object, taken);
    if ('value' in parsed) taken.push(...parsed.value.ranges.map((range) => ({ pool: parsed.value.name, range })));
    return parsed;
  });

  const aliases = new Map<string, AnyCommunity>();
  for (const object of oldestFirst(objects.communities))
    report('Community', object, parseCommunityList(object, aliases));

  const l2Ads = collect<L2Advertisement, L2Ad>('L2Advertisement', objects.l2Advertisements, (object) =>
    parseL2Advertisement(object, pools),
  );
  const bgpAds = collect<BgpAdvertisement, BgpAd>('BGPAdvertisement', objects.bgpAdvertisements, (object, earlier) =>
    parseBgpAdvertisement(object, { pools, aliases, earlier }),
  );

  const bfdProfiles = new Set([...objects.bfdProfiles].map((profile) => profile.metadata.name));
  const peers: Peer[] = [];
  for (const object of oldestFirst(objects.peers)) {
    const parsed = parsePeer(object, { secretOf: objects.secretOf, bfdProfiles });
    report('BGPPeer', object, parsed.problems);
    report('BGPPeer', object, parsed.unsupported, 'unsupported');
    if (parsed.value) peers.push(parsed.value);
  }
  return { pools, l2Ads, bgpAds, peers, problems };
}

function oldestFirst<T extends KubeObject>(objects: Iterable<T>): T[] {
  const age = ({ metadata }: T) => metadata.creationTimestamp ?? '';
  return [...objects].sort((a, b) => compareText(age(a), age(b)) || compareText(a.metadata.name, b.metadata.name));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
