import { type LabelSelector, matchesLabelSelector, type Pod } from '@ballast/kube';

/** Which pods a count is about. */
export interface PodQuery {
  /** Undefined: those of all namespaces. */
  readonly namespaces: readonly string[] | undefined;
  readonly selector: LabelSelector;
}

/** Number of matching pods by node name; nodes without any are absent. */
export type CountByNode = ReadonlyMap<string, number>;

interface Tracked {
  readonly namespaces: ReadonlySet<string> | undefined;
  readonly selector: LabelSelector;
  readonly counts: Map<string, number>;
}

/** Queries that are kept up to date; the one that was unused longest makes room. */
const MAX_QUERIES = 1000;

/**
 * How many pods of some kind run on each node. A question is answered by a scan once, and from then on kept up to date with each pod
 * that comes or goes: a thousand pods of one Deployment are not compared with each other again and again.
 */
export class PodCounts {
  readonly #owners = new Map<string, Map<string, number>>();
  readonly #queries = new Map<string, Tracked>();

  /** Pods with this controller, by node. */
  ofOwner(uid: string): CountByNode {
    return this.#owners.get(uid) ?? new Map();
  }

  /** Pods that match a query, by node. `all` is scanned when the query is new. */
  matching(query: PodQuery, all: () => Iterable<{ readonly pod: Pod; readonly node: string }>): CountByNode {
    const key = JSON.stringify([query.namespaces, query.selector]);
    let tracked = this.#queries.get(key);
    if (tracked) {
      this.#queries.delete(key);
    } else {
      const namespaces = query.namespaces && new Set(query.namespaces);
      tracked = { namespaces, selector: query.selector, counts: new Map() };
      for (const { pod, node } of all()) if (matches(tracked, pod)) bump(tracked.counts, node, 1);
    }
    this.#queries.set(key, tracked);
    if (this.#queries.size > MAX_QUERIES) {
      const [oldest] = this.#queries.keys();
      if (oldest !== undefined) this.#queries.delete(oldest);
    }
    return tracked.counts;
  }

  add(pod: Pod, node: string): void {
    this.#change(pod, node, 1);
  }

  remove(pod: Pod, node: string): void {
    this.#change(pod, node, -1);
  }

  #change(pod: Pod, node: string, by: 1 | -1): void {
    // A pod that is on its way out is no reason to go elsewhere.
    if (pod.metadata.deletionTimestamp !== undefined) return;
    const owner = ownerUid(pod);
    if (owner !== undefined) {
      let counts = this.#owners.get(owner);
      if (!counts) {
        counts = new Map();
        this.#owners.set(owner, counts);
      }
      bump(counts, node, by);
      if (counts.size === 0) this.#owners.delete(owner);
    }
    for (const tracked of this.#queries.values()) if (matches(tracked, pod)) bump(tracked.counts, node, by);
  }
}

export function ownerUid(pod: Pod): string | undefined {
  return pod.metadata.ownerReferences?.find(({ controller }) => controller)?.uid;
}

export function matchesQuery(query: PodQuery, pod: Pod): boolean {
  const inside = query.namespaces === undefined || query.namespaces.includes(pod.metadata.namespace ?? '');
  return inside && matchesLabelSelector(query.selector, pod.metadata.labels);
}

function matches({ namespaces, selector }: Tracked, pod: Pod): boolean {
  if (pod.metadata.deletionTimestamp !== undefined) return false;
  if (namespaces && !namespaces.has(pod.metadata.namespace ?? '')) return false;
  return matchesLabelSelector(selector, pod.metadata.labels);
}

function bump(counts: Map<string, number>, key: string, by: number): void {
  const next = (counts.get(key) ?? 0) + by;
  if (next > 0) counts.set(key, next);
  else counts.delete(key);
}
