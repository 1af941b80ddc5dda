import type { Clock } from '@ballast/base';
import type { Informer, KubeObject } from '@ballast/kube';

/** An own write that the informer has not shown for so long is forgotten: better to look again than to wait forever. */
const FORGET_MS = 300_000;

interface Write<T> {
  readonly object: T;
  readonly revision: number;
  readonly atMs: number;
  /** Deleted by us: counts as gone, or as going, until the informer says so. */
  readonly deleted: boolean;
}

const revisionOf = (object: KubeObject): number => Number(object.metadata.resourceVersion ?? 0);

/**
 * An informer's copy lags behind what this process has just written. Laid over it, the answers to one's own writes make it as new as
 * oneself is: no object is created twice, and nothing waits for the echo of a write.
 *
 * A write is dropped once the informer has seen any later revision of the collection: events come in order of revision, so by then
 * the informer either shows the write or what happened to it since.
 */
export class OwnWrites<T extends KubeObject> {
  readonly #clock: Clock;
  /** By group (the owner's key, say), then by uid. */
  readonly #groups = new Map<string, Map<string, Write<T>>>();
  #seenRevision = 0;

  constructor(informer: Pick<Informer<T>, 'onChange'>, clock: Clock) {
    this.#clock = clock;
    informer.onChange(({ object }) => {
      this.#seenRevision = Math.max(this.#seenRevision, revisionOf(object));
    });
  }

  /** The answer to a create, update or patch. */
  wrote(group: string, object: T): void {
    this.#put(group, { object, revision: revisionOf(object), atMs: this.#clock.monotonicMs(), deleted: false });
  }

  /** A delete was accepted. `object` is the last known state; its deletion has a later revision that nobody told us. */
  deleted(group: string, object: T): void {
    const atMs = this.#clock.monotonicMs();
    this.#put(group, { object, revision: revisionOf(object), atMs, deleted: true });
  }

  /** What the informer has for the group, corrected by what was written since. Objects deleted by us are left out. */
  over(group: string, objects: Iterable<T>): T[] {
    const writes = this.#groups.get(group);
    if (!writes) return [...objects];
    const result: T[] = [];
    const shown = new Set<string>();
    for (const object of objects) {
      const uid = object.metadata.uid ?? '';
      shown.add(uid);
      const write = writes.get(uid);
      if (!write) {
        result.push(object);
      } else if (write.deleted) {
        // A newer state than the one we deleted shows the deletion in progress, or a change made before it reached the server.
        if (object.metadata.deletionTimestamp === undefined && !this.#stale(write)) continue;
        writes.delete(uid);
        result.push(object);
      } else if (revisionOf(object) >= write.revision) {
        writes.delete(uid);
        result.push(object);
      } else {
        result.push(write.object);
      }
    }
    for (const [uid, write] of writes) {
      if (shown.has(uid)) continue;
      if (write.deleted || this.#seenRevision > write.revision || this.#stale(write)) writes.delete(uid);
      else result.push(write.object);
    }
    if (writes.size === 0) this.#groups.delete(group);
    return result;
  }

  /** Forgets a group whose owner is gone. */
  forget(group: string): void {
    this.#groups.delete(group);
  }

  #stale(write: Write<T>): boolean {
    return this.#clock.monotonicMs() - write.atMs > FORGET_MS;
  }

  #put(group: string, write: Write<T>): void {
    let writes = this.#groups.get(group);
    if (!writes) {
      writes = new Map();
      this.#groups.set(group, writes);
    }
    writes.set(write.object.metadata.uid ?? '', write);
  }
}
