import type { WriteOperation } from './store.ts';

/** Where a key stands now. */
export interface KeyState {
  readonly revision: number;
  readonly createRevision: number;
}

/** What the index decided about one transaction. */
export type Admission =
  | { readonly kind: 'admitted'; readonly writes: readonly AdmittedWrite[] }
  | { readonly kind: 'conflict'; readonly key: string; readonly revision: number };

export interface AdmittedWrite extends KeyState {
  readonly operation: WriteOperation;
}

/**
 * The revisions of all living keys, and the counter. Transactions are admitted one after the other, before they are durable; `rollBack`
 * undoes everything since the last `settle`, for when the storage refuses a batch.
 */
export class KeyIndex {
  readonly #keys: Map<string, KeyState>;
  #next: number;
  #undo: (readonly [key: string, before: KeyState | undefined])[] = [];
  #settled: number;

  constructor(keys: Map<string, KeyState>, revision: number) {
    this.#keys = keys;
    this.#next = revision + 1;
    this.#settled = revision;
  }

  /** The last settled revision. */
  get revision(): number {
    return this.#settled;
  }

  admit(operations: readonly WriteOperation[]): Admission {
    const undoMark = this.#undo.length;
    const revisionMark = this.#next;
    const writes: AdmittedWrite[] = [];
    for (const operation of operations) {
      const before = this.#keys.get(operation.key);
      const current = before?.revision ?? 0;
      if (current !== operation.expectedRevision || (operation.type === 'delete' && before === undefined)) {
        this.#undoTo(undoMark);
        this.#next = revisionMark;
        return { kind: 'conflict', key: operation.key, revision: this.#keys.get(operation.key)?.revision ?? 0 };
      }
      const revision = this.#next++;
      const state = { revision, createRevision: before?.createRevision ?? revision };
      this.#undo.push([operation.key, before]);
      if (operation.type === 'put') this.#keys.set(operation.key, state);
      else this.#keys.delete(operation.key);
      writes.push({ operation, ...state });
    }
    return { kind: 'admitted', writes };
  }

  /** What was admitted is durable now. */
  settle(): void {
    this.#undo = [];
    this.#settled = this.#next - 1;
  }

  rollBack(): void {
    this.#undoTo(0);
    this.#next = this.#settled + 1;
  }

  #undoTo(length: number): void {
    while (this.#undo.length > length) {
      const [key, before] = this.#undo.pop() ?? [''];
      if (before) this.#keys.set(key, before);
      else this.#keys.delete(key);
    }
  }
}
