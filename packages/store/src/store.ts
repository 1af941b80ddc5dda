import { BallastError } from '@ballast/base';

/** One key as it stood at a revision. `value` is opaque to the store and must never be changed by whoever holds it. */
export interface StoredEntry {
  readonly key: string;
  readonly value: Uint8Array;
  /** The revision of the write that made this value. */
  readonly revision: number;
  /** The revision of the write that made the key exist. */
  readonly createRevision: number;
}

/**
 * One write. `expectedRevision` is the revision the key must have now; 0 means that the key must not exist. A delete of a key that does
 * not exist is always a conflict.
 */
export type WriteOperation =
  | { readonly type: 'put'; readonly key: string; readonly value: Uint8Array; readonly expectedRevision: number }
  | { readonly type: 'delete'; readonly key: string; readonly expectedRevision: number };

/**
 * `committed` means durable: the write survives SIGKILL and power loss. Each operation of the transaction has a revision of its own, in
 * order. `conflict` means that nothing of the transaction was written; `revision` is what the key has now (0: it does not exist).
 */
export type WriteOutcome =
  | { readonly kind: 'committed'; readonly revisions: readonly number[] }
  | { readonly kind: 'conflict'; readonly key: string; readonly revision: number };

export type StoreEvent =
  | { readonly type: 'put'; readonly entry: StoredEntry }
  | { readonly type: 'delete'; readonly key: string; readonly revision: number };

export interface RangeOptions {
  /** Keys that start with this; '' is every key. */
  readonly prefix: string;
  /** Only keys greater than this one: where the last page ended. */
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
  /** Read the past; the current revision when absent. */
  readonly revision?: number | undefined;
}

export interface RangeResult {
  /** In ascending order of key (by UTF-8 bytes; by UTF-16 code unit where they differ is not relied upon). */
  readonly entries: readonly StoredEntry[];
  /** The revision that was read. */
  readonly revision: number;
  /** True when the limit cut the answer. */
  readonly more: boolean;
}

export interface WatchOptions {
  readonly prefix: string;
  /** Events with a greater revision are delivered; those that happened already may be delivered before `watch` returns. */
  readonly afterRevision: number;
  /** Called with events in ascending order of revision, none missing, none twice; a batch holds whole transactions. */
  readonly onEvents: (events: readonly StoreEvent[]) => void;
}

/** `compacted`: that revision is no longer kept. `future-revision`: it does not exist yet. `unavailable`: the storage refused; nothing was written. */
export class StoreError extends BallastError<'compacted' | 'future-revision' | 'unavailable' | 'closed'> {}

/**
 * A revisioned key-value store with watch. Every write raises one counter, the revision; the past can be read and watched back to the
 * last compaction. Reads see every write that was acknowledged before they were asked.
 */
export interface Store extends AsyncDisposable {
  /** The revision of the last acknowledged write; 0 when nothing was ever written. */
  readonly revision: number;
  /** Revisions below this one can no longer be read, nor events up to it watched. */
  readonly compactedRevision: number;
  get(key: string, options?: { readonly revision?: number }): Promise<StoredEntry | undefined>;
  range(options: RangeOptions): Promise<RangeResult>;
  /** All or nothing. Resolves when the outcome is durable; rejects with StoreError 'unavailable' when it may not be. */
  transact(operations: readonly WriteOperation[]): Promise<WriteOutcome>;
  watch(options: WatchOptions): Disposable;
  /** Forgets what only reads before `revision` could see. Compacting twice, or less than before, does nothing. */
  compact(revision: number): Promise<void>;
}

/** Throws unless `revision` can be read now. */
export function requireReadable(store: Pick<Store, 'revision' | 'compactedRevision'>, revision: number): void {
  if (revision > store.revision)
    throw new StoreError('future-revision', `revision ${revision} is ahead of ${store.revision}`);
  if (revision < store.compactedRevision)
    throw new StoreError('compacted', `revision ${revision} was compacted; the oldest is ${store.compactedRevision}`);
}
