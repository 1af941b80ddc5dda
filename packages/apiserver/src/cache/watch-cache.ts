import type { Store, StoreEvent } from '@ballast/store';
import { CachedObject } from './cached-object.ts';
import { type CacheEvent, ResourceCache } from './resource-cache.ts';

/** How much history is replayed at the start, so that watches resume over a restart of the server. */
const REPLAYED_REVISIONS = 4000;

/** Where an object lies in the store: 'pods/default/web-1', 'deployments.apps/default/web', 'nodes/n1'. */
export function storeKey(storageKey: string, key: string): string {
  return `${storageKey}/${key}`;
}

/**
 * The present state of every object, in memory, always exactly as far as the store: the store publishes a commit before it acknowledges
 * it, so whoever was told of a write finds it here. All reads are served from here, except lists of the past.
 */
export class WatchCache implements Disposable {
  readonly #store: Store;
  readonly #resources = new Map<string, ResourceCache>();
  readonly #floor: number;
  #watch: Disposable | undefined;
  readonly #waiting = new Set<() => void>();

  private constructor(store: Store, floor: number) {
    this.#store = store;
    this.#floor = floor;
  }

  static async load(store: Store): Promise<WatchCache> {
    const floor = Math.max(store.compactedRevision, store.revision - REPLAYED_REVISIONS, 0);
    const cache = new WatchCache(store, floor);
    const { entries } = await store.range({ prefix: '', revision: floor });
    for (const { key, value, revision } of entries) {
      const [storageKey, objectKey] = splitStoreKey(key);
      cache.of(storageKey).load(CachedObject.fromStored(objectKey, revision, value));
    }
    cache.#watch = store.watch({ prefix: '', afterRevision: floor, onEvents: (events) => cache.#apply(events) });
    return cache;
  }

  /** The revision that lists and bookmarks carry. */
  get revision(): number {
    return this.#store.revision;
  }

  of(storageKey: string): ResourceCache {
    let resource = this.#resources.get(storageKey);
    if (!resource) {
      resource = new ResourceCache(this.#floor);
      this.#resources.set(storageKey, resource);
    }
    return resource;
  }

  /** Storage keys that hold anything, with their caches. */
  get resources(): ReadonlyMap<string, ResourceCache> {
    return this.#resources;
  }

  /** Calls once after the next commit. */
  onNextCommit(call: () => void): Disposable {
    this.#waiting.add(call);
    return { [Symbol.dispose]: () => this.#waiting.delete(call) };
  }

  [Symbol.dispose](): void {
    this.#watch?.[Symbol.dispose]();
  }

  #apply(events: readonly StoreEvent[]): void {
    const changed = new Map<ResourceCache, CacheEvent[]>();
    for (const event of events) {
      const [storageKey, objectKey] = splitStoreKey(event.type === 'put' ? event.entry.key : event.key);
      const resource = this.of(storageKey);
      const made =
        event.type === 'put'
          ? resource.put(CachedObject.fromStored(objectKey, event.entry.revision, event.entry.value))
          : resource.delete(objectKey, event.revision);
      if (!made) continue;
      const batch = changed.get(resource);
      if (batch) batch.push(made);
      else changed.set(resource, [made]);
    }
    for (const [resource, batch] of changed) resource.publish(batch);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const call of waiting) call();
  }
}

function splitStoreKey(key: string): [storageKey: string, objectKey: string] {
  const slash = key.indexOf('/');
  return [key.slice(0, slash), key.slice(slash + 1)];
}
