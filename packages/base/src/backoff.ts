/** Exponential back-off with full jitter bounds: `minMs`, doubling up to `maxMs`. Pure: randomness is handed in. */
export class Backoff {
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #attempt = 0;

  constructor(options: { minMs: number; maxMs: number; random?: () => number }) {
    this.#minMs = options.minMs;
    this.#maxMs = options.maxMs;
    this.#random = options.random ?? Math.random;
  }

  /** The next delay in ms: between half of the exponential step and the whole of it. */
  next(): number {
    const step = Math.min(this.#maxMs, this.#minMs * 2 ** Math.min(this.#attempt, 30));
    this.#attempt += 1;
    return step / 2 + (this.#random() * step) / 2;
  }

  /** Call after success. */
  reset(): void {
    this.#attempt = 0;
  }
}
