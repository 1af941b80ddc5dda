/** Address families that have a table of their own. */
export type Family = 4 | 6;

/** The keyed containers of each table that hold all per-Service state. What each means is said where the ruleset declares it. */
export const CONTAINERS = [
  'frontends',
  'endpoints',
  'local-endpoints',
  'local-policy',
  'short-circuit',
  'external',
  'sticky',
  'restricted',
  'source-ranges',
  'cluster-ips',
  'load-balancer-ips',
  'hairpin',
] as const;
export type Container = (typeof CONTAINERS)[number];

/** One element in nft's syntax; `value` is '' in sets. */
export interface Element {
  readonly container: Container;
  readonly key: string;
  readonly value: string;
}

/** A change to one element of one table. */
export interface ElementChange {
  readonly op: 'add' | 'delete';
  readonly family: Family;
  readonly element: Element;
}
