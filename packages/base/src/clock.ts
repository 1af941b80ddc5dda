import { abortReason } from './abort.ts';

/** A source of time. Handed in wherever time matters, so that tests run on simulated time. */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970. May jump; never use it to measure a duration. */
  nowMs(): number;
  /** Milliseconds on a clock that never jumps. */
  monotonicMs(): number;
  /** Calls `fire` once after `delayMs`; dispose to cancel. */
  timer(delayMs: number, fire: () => void): Disposable;
  /** Resolves after `delayMs`; rejects with the signal's reason when that aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
}

function sleepOn(clock: Pick<Clock, 'timer'>, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(abortReason(signal));
    const onAbort = () => {
      timer[Symbol.dispose]();
      reject(abortReason(signal));
    };
    const timer = clock.timer(delayMs, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Longest delay that setTimeout takes (2^31 - 1 ms, about 24.8 days). */
const MAX_TIMEOUT_MS = 0x7fff_ffff;

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  timer(delayMs, fire) {
    const handle = setTimeout(fire, Math.min(Math.max(0, delayMs), MAX_TIMEOUT_MS));
    return { [Symbol.dispose]: () => clearTimeout(handle) };
  },
  sleep: (delayMs, signal) => sleepOn(systemClock, delayMs, signal),
};

interface PendingTimer {
  readonly dueMs: number;
  readonly order: number;
  readonly fire: () => void;
}

/** Time that moves only when told to. Timers fire in order of due time, then of creation. */
export class SimulatedClock implements Clock {
  #wallMs: number;
  #monotonicMs = 0;
  #order = 0;
  readonly #timers = new Set<PendingTimer>();

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#wallMs = startMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  timer(delayMs: number, fire: () => void): Disposable {
    const timer = { dueMs: this.#monotonicMs + Math.max(0, delayMs), order: this.#order++, fire };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => this.#timers.delete(timer) };
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return sleepOn(this, delayMs, signal);
  }

  /** Moves both clocks forward and fires what falls due; lets promise callbacks run after each timer. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#monotonicMs + byMs;
    await flushMicrotasks();
    for (;;) {
      let next: PendingTimer | undefined;
      for (const timer of this.#timers) {
        if (timer.dueMs > endMs) continue;
        if (!next || timer.dueMs < next.dueMs || (timer.dueMs === next.dueMs && timer.order < next.order)) next = timer;
      }
      if (!next) break;
      this.#timers.delete(next);
      this.#moveTo(next.dueMs);
      next.fire();
      await flushMicrotasks();
    }
    this.#moveTo(endMs);
  }

  /** Makes the wall clock jump (as NTP or an operator would) without passing time. */
  jumpWallClock(byMs: number): void {
    this.#wallMs += byMs;
  }

  /** Timers that have not fired yet. */
  get pending(): number {
    return this.#timers.size;
  }

  #moveTo(monotonicMs: number): void {
    this.#wallMs += monotonicMs - this.#monotonicMs;
    this.#monotonicMs = monotonicMs;
  }
}

/** Lets every promise callback that is ready run, also those that these schedule. */
function flushMicrotasks(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
