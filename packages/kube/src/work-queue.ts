import { abortReason, type Clock } from '@ballast/base';

const MIN_RETRY_MS = 5;
const MAX_RETRY_MS = 300_000;

/**
 * Keys to work on. A key is in the queue at most once; a key that is added while it is being worked on comes back when that work is
 * done, so one key is never worked on twice at a time. Failures of a key are retried with exponential back-off.
 */
export class WorkQueue implements Disposable {
  readonly #clock: Clock;
  readonly #ready: string[] = [];
  /** Keys that need work: those in #ready, and those that were added again while in #active. */
  readonly #dirty = new Set<string>();
  readonly #active = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #delayed = new Map<string, { readonly dueMs: number; readonly timer: Disposable }>();
  readonly #waiting: ((key: string) => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Keys that wait for work now, without the delayed ones. */
  get size(): number {
    return this.#ready.length;
  }

  add(key: string): void {
    if (this.#dirty.has(key)) return;
    this.#dirty.add(key);
    if (!this.#active.has(key)) this.#push(key);
  }

  /** Adds the key after a delay; the earliest of several delays counts. */
  addAfter(key: string, delayMs: number): void {
    if (delayMs <= 0) {
      this.add(key);
      return;
    }
    const dueMs = this.#clock.monotonicMs() + delayMs;
    const known = this.#delayed.get(key);
    if (known && known.dueMs <= dueMs) return;
    known?.timer[Symbol.dispose]();
    const timer = this.#clock.timer(delayMs, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { dueMs, timer });
  }

  /** The next key to work on; `done` must follow. Rejects when the signal aborts. */
  get(signal: AbortSignal): Promise<string> {
    if (signal.aborted) return Promise.reject(abortReason(signal));
    const key = this.#ready.shift();
    if (key !== undefined) return Promise.resolve(this.#begin(key));
    return new Promise((resolve, reject) => {
      const take = (next: string) => {
        signal.removeEventListener('abort', onAbort);
        resolve(this.#begin(next));
      };
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(take), 1);
        reject(abortReason(signal));
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.#waiting.push(take);
    });
  }

  /** Work on the key has ended, well or not. */
  done(key: string): void {
    this.#active.delete(key);
    if (this.#dirty.has(key)) this.#push(key);
  }

  /** Work on the key failed: it comes back after 5 ms, doubling with each failure up to 5 minutes. */
  retry(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    this.addAfter(key, Math.min(MAX_RETRY_MS, MIN_RETRY_MS * 2 ** Math.min(failures, 20)));
  }

  /** Work on the key went well: its next failure starts with the shortest delay again. */
  forget(key: string): void {
    this.#failures.delete(key);
  }

  /** Drops what is delayed, so that no timer outlives the work. */
  [Symbol.dispose](): void {
    for (const { timer } of this.#delayed.values()) timer[Symbol.dispose]();
    this.#delayed.clear();
  }

  #push(key: string): void {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(key);
    else this.#ready.push(key);
  }

  #begin(key: string): string {
    this.#dirty.delete(key);
    this.#active.add(key);
    return key;
  }
}
