import {
  type Community,
  formatCommunity,
  type LargeCommunity,
  parseCommunity,
  parseLargeCommunity,
} from '@ballast/bgp';
import { type LabelSelector, matchesLabelSelector } from '@ballast/kube';
import type { BgpAdvertisement, CommunityList, L2Advertisement } from '../resources/kinds.ts';
import type { BgpAd, L2Ad, Pool } from './configuration.ts';
import type { Parsed } from './parse-pools.ts';
import { duplicateProblems, selectorProblems } from './selection.ts';

interface Selecting {
  readonly ipAddressPools?: readonly string[];
  readonly ipAddressPoolSelectors?: readonly LabelSelector[];
  readonly nodeSelectors?: readonly LabelSelector[];
  readonly serviceSelectors?: readonly LabelSelector[];
}

function parseSelection(spec: Selecting, pools: readonly Pool[]) {
  const names = spec.ipAddressPools ?? [];
  const selectors = spec.ipAddressPoolSelectors ?? [];
  const problems = [
    ...duplicateProblems('ipAddressPool', names),
    ...selectorProblems('ipAddressPoolSelectors', selectors),
    ...selectorProblems('nodeSelectors', spec.nodeSelectors ?? []),
    ...selectorProblems('serviceSelectors', spec.serviceSelectors ?? []),
  ];
  const all = names.length === 0 && selectors.length === 0;
  const chosen = pools.filter(
    (pool) =>
      all || names.includes(pool.name) || selectors.some((selector) => matchesLabelSelector(selector, pool.labels)),
  );
  return {
    problems,
    chosen,
    selection: {
      pools: new Set(chosen.map((pool) => pool.name)),
      nodeSelectors: spec.nodeSelectors ?? [],
      serviceSelectors: spec.serviceSelectors ?? [],
    },
  };
}

export function parseL2Advertisement(object: L2Advertisement, pools: readonly Pool[]): Parsed<L2Ad> {
  const spec = object.spec ?? {};
  const { problems, selection } = parseSelection(spec, pools);
  problems.push(...duplicateProblems('interface', spec.interfaces ?? []));
  const preferences = (spec.preferredNodeSelectors ?? []).map(({ weight, preference }) => ({
    weight,
    selector: preference,
  }));
  for (const { weight, selector } of preferences) {
    if (!(weight >= 1 && weight <= 100))
      problems.push(`preferredNodeSelectors: weight ${weight} is not between 1 and 100`);
    problems.push(...selectorProblems('preferredNodeSelectors', [selector]));
  }
  if (problems.length > 0) return { problems };
  return { value: { name: object.metadata.name, ...selection, interfaces: spec.interfaces ?? [], preferences } };
}

export type AnyCommunity =
  | { readonly kind: 'standard'; readonly value: Community }
  | { readonly kind: 'large'; readonly value: LargeCommunity };

/** 'a:b' or 'large:a:b:c'; otherwise the text that says what is wrong. */
export function parseCommunityText(text: string): AnyCommunity | string {
  if (text.startsWith('large:')) {
    const large = parseLargeCommunity(text.slice('large:'.length));
    return large
      ? { kind: 'large', value: large }
      : `invalid community value: invalid section of large community "${text}"`;
  }
  const parts = text.split(':').length;
  if (parts > 2) return `expected community to be of format large, that is large:a:b:c, got "${text}"`;
  const standard = parseCommunity(text);
  return standard === undefined
    ? `invalid community value: invalid section of community "${text}"`
    : { kind: 'standard', value: standard };
}

/** Most standard communities that fit in the attribute beside others, as MetalLB limits them. */
const MAX_COMMUNITIES = 63;

export function parseBgpAdvertisement(
  object: BgpAdvertisement,
  context: {
    readonly pools: readonly Pool[];
    readonly aliases: ReadonlyMap<string, AnyCommunity>;
    readonly earlier: readonly BgpAd[];
  },
): Parsed<BgpAd> {
  const spec = object.spec ?? {};
  const { problems, selection, chosen } = parseSelection(spec, context.pools);
  problems.push(
    ...duplicateProblems('peer', spec.peers ?? []),
    ...duplicateProblems('community', spec.communities ?? []),
  );

  const aggregationLength = { 4: spec.aggregationLength ?? 32, 6: spec.aggregationLengthV6 ?? 128 } as const;
  if (aggregationLength[4] > 32 || aggregationLength[4] < 0)
    problems.push(`invalid aggregation length ${aggregationLength[4]} for IPv4`);
  if (aggregationLength[6] > 128 || aggregationLength[6] < 0)
    problems.push(`invalid aggregation length ${aggregationLength[6]} for IPv6`);
  if (selection.serviceSelectors.length > 0 && (aggregationLength[4] !== 32 || aggregationLength[6] !== 128)) {
    problems.push('serviceSelectors and aggregationLength are mutually exclusive');
  }
  for (const pool of chosen) {
    for (const { cidrs, text, range } of pool.ranges) {
      const length = aggregationLength[range.first.family];
      const widest = Math.min(...cidrs.map((cidr) => cidr.prefixLength));
      if (length < widest) {
        problems.push(
          `invalid aggregation length ${length}: prefix ${widest} of "${text}" in pool "${pool.name}" is more specific than the aggregation length`,
        );
      }
    }
  }

  const communities: Community[] = [];
  const largeCommunities: LargeCommunity[] = [];
  for (const text of spec.communities ?? []) {
    const community =
      context.aliases.get(text) ??
      (text.includes(':') ? parseCommunityText(text) : `community "${text}" is not defined`);
    if (typeof community === 'string') problems.push(community);
    else if (community.kind === 'standard') communities.push(community.value);
    else largeCommunities.push(community.value);
  }
  if (communities.length > MAX_COMMUNITIES) problems.push(`more than ${MAX_COMMUNITIES} communities`);

  const localPref = spec.localPref ?? 0;
  const value: BgpAd = {
    name: object.metadata.name,
    ...selection,
    aggregationLength,
    localPref,
    communities,
    largeCommunities,
    peers: spec.peers ?? [],
  };
  const rival = context.earlier.find((ad) => disagree(ad, value));
  if (rival)
    problems.push(
      `localPref ${localPref} conflicts with ${rival.localPref} of BGPAdvertisement "${rival.name}" for the same pool and peers`,
    );
  return problems.length > 0 ? { problems } : { value };
}

/** Two advertisements of the same prefixes to the same peers must agree on LOCAL_PREF; a route has only one. */
function disagree(a: BgpAd, b: BgpAd): boolean {
  if (a.localPref === b.localPref || a.serviceSelectors.length > 0 || b.serviceSelectors.length > 0) return false;
  const samePools = [...a.pools].some((pool) => b.pools.has(pool));
  const sameLength =
    a.aggregationLength[4] === b.aggregationLength[4] || a.aggregationLength[6] === b.aggregationLength[6];
  const samePeers = a.peers.length === 0 || b.peers.length === 0 || a.peers.some((peer) => b.peers.includes(peer));
  // Different selectors may still share a node; that is found when routes are made.
  const sameNodes =
    a.nodeSelectors.length === 0 ||
    b.nodeSelectors.length === 0 ||
    JSON.stringify(a.nodeSelectors) === JSON.stringify(b.nodeSelectors);
  return samePools && sameLength && samePeers && sameNodes;
}

/** Adds the names that one Community object defines; returns what is wrong with it. */
export function parseCommunityList(object: CommunityList, aliases: Map<string, AnyCommunity>): string[] {
  const problems: string[] = [];
  const own = new Map<string, AnyCommunity>();
  for (const { name = '', value = '' } of object.spec?.communities ?? []) {
    const community = parseCommunityText(value);
    if (aliases.has(name) || own.has(name)) problems.push(`duplicate definition of community "${name}"`);
    else if (typeof community === 'string') problems.push(`${name}: ${community}`);
    else own.set(name, community);
  }
  if (problems.length === 0) for (const [name, community] of own) aliases.set(name, community);
  return problems;
}

/** For tables and logs. */
export function formatCommunities(ad: Pick<BgpAd, 'communities'>): string {
  return ad.communities.map(formatCommunity).join(' ');
}
