import type { Element, Family } from './element.ts';
import { sizeClassOf } from './slots.ts';

export type Protocol = 'tcp' | 'udp' | 'sctp';

/** What happens to traffic that may use any endpoint, or only those of this node. */
export type Target =
  | { readonly kind: 'endpoints'; readonly slots: readonly string[] }
  /** Nothing anywhere to send to: an ICMP port unreachable says so. */
  | { readonly kind: 'refuse' }
  /** Endpoints exist, but none where the policy allows: silence, so that a load balancer's client tries elsewhere. */
  | { readonly kind: 'drop' };

/**
 * One address and port that Services are reached at, with all that the kernel must know about it. Slots hold endpoints in nft's syntax
 * ('10.42.0.7 . 8080').
 */
export interface Frontend {
  readonly kind: 'frontend';
  /** Unique among the units of a ledger. */
  readonly key: string;
  /** 'namespace/name' of the Service. */
  readonly owner: string;
  /** Of several Services that claim one address and port, the lowest rank wins, then the lowest owner. */
  readonly rank: number;
  readonly family: Family;
  readonly address: string;
  readonly protocol: Protocol;
  readonly port: number;
  /** A ClusterIP; an external address whose sources are masqueraded; or one that keeps sources and uses local endpoints only. */
  readonly reach: 'cluster' | 'external-cluster' | 'external-local';
  /** Where traffic goes; under 'external-local' this is what pods and the node itself get. */
  readonly target: Target;
  /** Whether `target` is the list of local endpoints (internalTrafficPolicy Local). */
  readonly targetIsLocal: boolean;
  /** Under 'external-local': where traffic from outside goes. */
  readonly outside: Target | undefined;
  /** ClientIP affinity; undefined for none. */
  readonly affinitySeconds: number | undefined;
  /** UDP only: endpoints that still answer, also those that get no new flows (draining ones): flows to any other are stale. */
  readonly serving: ReadonlySet<string> | undefined;
  /** Prefixes allowed to connect, none overlapping; undefined allows all. */
  readonly sourceRanges: readonly string[] | undefined;
}

/** An element that several Services may have in common. */
export interface SharedElement {
  readonly kind: 'shared';
  readonly key: string;
  readonly owner: string;
  readonly rank: number;
  readonly family: Family;
  readonly container: 'cluster-ips' | 'load-balancer-ips' | 'hairpin';
  readonly element: string;
}

/** What a Service claims: the smallest thing that is programmed or not. */
export type Unit = Frontend | SharedElement;

/** The key under which a frontend is found in the containers, in nft's syntax. */
export function frontendElement(frontend: Pick<Frontend, 'address' | 'protocol' | 'port'>): string {
  return `${frontend.address} . ${frontend.protocol} . ${frontend.port}`;
}

/** The chain that remembers a client for so long; one per duration in use. */
export function rememberChain(seconds: number): string {
  return `remember-${seconds}`;
}

/** The chain that picks one of `count` slots of `container`. */
export function pickChain(container: 'endpoints' | 'local-endpoints', count: number): string {
  return `${container === 'endpoints' ? 'pick' : 'pick-local'}-${sizeClassOf(count).high}`;
}

/**
 * All elements that stand for a unit, each container and key at most once. What a frontend needs comes before it, so that a list which is
 * written in several transactions never opens one that is not complete.
 */
export function elementsOf(unit: Unit): Element[] {
  if (unit.kind === 'shared') return [{ container: unit.container, key: unit.element, value: '' }];
  const key = frontendElement(unit);
  const container = unit.targetIsLocal ? 'local-endpoints' : 'endpoints';
  const elements = slotElements(key, container, unit.target);
  let verdict = verdictOf(container, unit.target);
  if (unit.sourceRanges) {
    for (const range of unit.sourceRanges)
      elements.push({ container: 'source-ranges', key: `${key} . ${range}`, value: '' });
    elements.push({ container: 'restricted', key, value: '' });
  }
  if (unit.affinitySeconds !== undefined) {
    elements.push({ container: 'sticky', key, value: `goto ${rememberChain(unit.affinitySeconds)}` });
  }
  if (unit.reach === 'external-cluster') elements.push({ container: 'external', key, value: 'goto rewrite-source' });
  if (unit.reach === 'external-local') {
    const outside = unit.outside ?? { kind: 'drop' };
    elements.push(...slotElements(key, 'local-endpoints', outside));
    elements.push({ container: 'short-circuit', key, value: verdict });
    elements.push({ container: 'local-policy', key, value: verdictOf('local-endpoints', outside) });
    elements.push({ container: 'external', key, value: 'goto rewrite-node-source' });
    verdict = 'goto local-policy';
  }
  elements.push({ container: 'frontends', key, value: verdict });
  return elements;
}

function slotElements(key: string, container: 'endpoints' | 'local-endpoints', target: Target): Element[] {
  if (target.kind !== 'endpoints') return [];
  return target.slots.map((endpoint, slot) => ({ container, key: `${key} . ${slot}`, value: endpoint }));
}

function verdictOf(container: 'endpoints' | 'local-endpoints', target: Target): string {
  if (target.kind === 'endpoints') return `goto ${pickChain(container, target.slots.length)}`;
  return target.kind === 'refuse' ? 'goto refuse' : 'drop';
}

/** Every endpoint that a frontend may send to, in nft's syntax. */
export function endpointsBehind(frontend: Frontend): ReadonlySet<string> {
  const slots = [frontend.target, frontend.outside].flatMap((target) =>
    target?.kind === 'endpoints' ? target.slots : [],
  );
  return new Set(slots);
}
