import { KeyIndex } from './key-index.ts';
import {
  type RangeOptions,
  type RangeResult,
  requireReadable,
  type Store,
  type StoredEntry,
  type StoreEvent,
  type WatchOptions,
  type WriteOperation,
  type WriteOutcome,
} from './store.ts';
import { keyOfEvent, WatchHub } from './watch-hub.ts';

/** A store that forgets at exit: for tests, and for API servers whose state nobody needs again. */
export class MemoryStore implements Store {
  readonly #index = new KeyIndex(new Map(), 0);
  readonly #hub = new WatchHub();
  /** Every version of a key, oldest first. */
  readonly #versions = new Map<string, StoreEvent[]>();
  #log: StoreEvent[] = [];
  #compacted = 0;

  get revision(): number {
    return this.#index.revision;
  }

  get compactedRevision(): number {
    return this.#compacted;
  }

  async get(key: string, options: { readonly revision?: number } = {}): Promise<StoredEntry | undefined> {
    const revision = options.revision ?? this.revision;
    requireReadable(this, revision);
    return this.#at(key, revision);
  }

  async range(options: RangeOptions): Promise<RangeResult> {
    const revision = options.revision ?? this.revision;
    requireReadable(this, revision);
    const { prefix, after, limit = Number.POSITIVE_INFINITY } = options;
    const keys = [...this.#versions.keys()].filter((key) => key.startsWith(prefix) && (!after || key > after)).sort();
    const entries: StoredEntry[] = [];
    for (const key of keys) {
      const entry = this.#at(key, revision);
      if (!entry) continue;
      if (entries.length >= limit) return { entries, revision, more: true };
      entries.push(entry);
    }
    return { entries, revision, more: false };
  }

  async transact(operations: readonly WriteOperation[]): Promise<WriteOutcome> {
    const admission = this.#index.admit(operations);
    if (admission.kind === 'conflict') return admission;
    this.#index.settle();
    const events = admission.writes.map(
      ({ operation, revision, createRevision }): StoreEvent =>
        operation.type === 'put'
          ? { type: 'put', entry: { key: operation.key, value: operation.value, revision, createRevision } }
          : { type: 'delete', key: operation.key, revision },
    );
    for (const event of events) {
      const key = keyOfEvent(event);
      const versions = this.#versions.get(key);
      if (versions) versions.push(event);
      else this.#versions.set(key, [event]);
      this.#log.push(event);
    }
    this.#hub.publish(events);
    return { kind: 'committed', revisions: admission.writes.map(({ revision }) => revision) };
  }

  watch(options: WatchOptions): Disposable {
    requireReadable(this, options.afterRevision);
    const past = this.#log.filter(
      (event) => revisionOf(event) > options.afterRevision && keyOfEvent(event).startsWith(options.prefix),
    );
    if (past.length > 0) options.onEvents(past);
    return this.#hub.add(options);
  }

  async compact(revision: number): Promise<void> {
    if (revision <= this.#compacted) return;
    requireReadable(this, revision);
    this.#compacted = revision;
    this.#log = this.#log.filter((event) => revisionOf(event) > revision);
    for (const [key, versions] of this.#versions) {
      const last = versions.findLastIndex((event) => revisionOf(event) <= revision);
      const kept = versions.slice(last >= 0 && versions[last]?.type === 'delete' ? last + 1 : Math.max(last, 0));
      if (kept.length === 0) this.#versions.delete(key);
      else this.#versions.set(key, kept);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#hub.clear();
  }

  #at(key: string, revision: number): StoredEntry | undefined {
    const event = this.#versions.get(key)?.findLast((version) => revisionOf(version) <= revision);
    return event?.type === 'put' ? event.entry : undefined;
  }
}

function revisionOf(event: StoreEvent): number {
  return event.type === 'put' ? event.entry.revision : event.revision;
}
