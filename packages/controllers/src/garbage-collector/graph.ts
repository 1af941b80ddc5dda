import type { KubeObject, OwnerReference, Resource } from '@ballast/kube';

export const FOREGROUND = 'foregroundDeletion';
export const ORPHAN = 'orphan';

/** What the collector remembers of an object. */
export interface GraphObject {
  readonly resource: Resource;
  readonly namespace: string | undefined;
  readonly name: string;
  readonly uid: string;
  readonly owners: readonly OwnerReference[];
  readonly finalizers: readonly string[];
  readonly deleting: boolean;
}

export function graphObject(resource: Resource, { metadata }: KubeObject): GraphObject {
  return {
    resource,
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid ?? '',
    owners: metadata.ownerReferences ?? [],
    finalizers: metadata.finalizers ?? [],
    deleting: metadata.deletionTimestamp !== undefined,
  };
}

/** How many uids of deleted objects are remembered, to know an absent owner without asking. */
const GONE_LIMIT = 20_000;

/** Who owns whom, by uid. Every change answers with the uids that have to be looked at because of it. */
export class OwnershipGraph {
  readonly #objects = new Map<string, GraphObject>();
  readonly #dependents = new Map<string, Set<string>>();
  /** In order of deletion; the oldest are forgotten first. */
  readonly #gone = new Set<string>();

  get(uid: string): GraphObject | undefined {
    return this.#objects.get(uid);
  }

  get size(): number {
    return this.#objects.size;
  }

  /** True when the object with this uid was seen to be deleted. */
  isGone(uid: string): boolean {
    return this.#gone.has(uid);
  }

  remember(uid: string): void {
    this.#gone.add(uid);
    if (this.#gone.size > GONE_LIMIT) {
      const [oldest] = this.#gone;
      if (oldest !== undefined) this.#gone.delete(oldest);
    }
  }

  *dependents(uid: string): Iterable<GraphObject> {
    for (const dependent of this.#dependents.get(uid) ?? []) {
      const object = this.#objects.get(dependent);
      if (object) yield object;
    }
  }

  put(object: GraphObject): string[] {
    const previous = this.#objects.get(object.uid);
    this.#objects.set(object.uid, object);
    const look = new Set<string>();
    for (const { uid } of previous?.owners ?? []) {
      if (object.owners.some((owner) => owner.uid === uid)) continue;
      this.#unlink(uid, object.uid);
      // An owner may have waited for this one.
      if (this.#isWaiting(uid)) look.add(uid);
    }
    for (const owner of object.owners) {
      let dependents = this.#dependents.get(owner.uid);
      if (!dependents) {
        dependents = new Set();
        this.#dependents.set(owner.uid, dependents);
      }
      dependents.add(object.uid);
      if (this.#isWaiting(owner.uid)) look.add(owner.uid);
    }
    if (object.owners.length > 0 || this.#isWaiting(object.uid)) look.add(object.uid);
    return [...look];
  }

  remove(uid: string): string[] {
    const object = this.#objects.get(uid);
    this.remember(uid);
    if (!object) return [];
    this.#objects.delete(uid);
    const look = [...(this.#dependents.get(uid) ?? [])];
    for (const owner of object.owners) {
      this.#unlink(owner.uid, uid);
      if (this.#isWaiting(owner.uid)) look.push(owner.uid);
    }
    return look;
  }

  /** In deletion, and held by one of the finalizers that are the collector's to remove. */
  #isWaiting(uid: string): boolean {
    const object = this.#objects.get(uid);
    return object?.deleting === true && object.finalizers.some((name) => name === FOREGROUND || name === ORPHAN);
  }

  #unlink(owner: string, dependent: string): void {
    const dependents = this.#dependents.get(owner);
    dependents?.delete(dependent);
    if (dependents?.size === 0) this.#dependents.delete(owner);
  }
}
