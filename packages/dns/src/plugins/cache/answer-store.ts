import type { Message } from '../../wire/message.ts';

/** An answer that is kept. Times are of the monotonic clock. */
export interface Entry {
  readonly message: Message;
  readonly storedMs: number;
  readonly lifeMs: number;
  /** Hits since the last gap longer than the prefetch duration; see `prefetch`. */
  hits: number;
  lastHitMs: number;
  refreshing: boolean;
}

export function expiryOf(entry: Entry): number {
  return entry.storedMs + entry.lifeMs;
}

/** A bounded map from question to answer. A full one lets the entry go that has not been used for longest. */
export class AnswerStore {
  readonly #capacity: number;
  readonly #entries = new Map<string, Entry>();
  readonly #onEvict: () => void;

  constructor(capacity: number, onEvict: () => void) {
    this.#capacity = capacity;
    this.#onEvict = onEvict;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The entry, also when it has expired; counts as use. */
  get(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    // A Map keeps the order of insertion: putting it back makes it the youngest.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  set(key: string, entry: Entry): void {
    this.#entries.delete(key);
    if (this.#entries.size >= this.#capacity) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
      this.#onEvict();
    }
    this.#entries.set(key, entry);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  deleteWhere(matches: (key: string) => boolean): void {
    for (const key of this.#entries.keys()) if (matches(key)) this.#entries.delete(key);
  }
}
