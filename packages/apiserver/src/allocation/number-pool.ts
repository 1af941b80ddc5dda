/** Where automatic picks come from: first from `dynamicFrom` on, then from the part kept for numbers that people choose. */
export interface PoolRange {
  readonly first: bigint;
  readonly last: bigint;
  /** First number of the upper band. */
  readonly dynamicFrom: bigint;
}

/** Splits a range of `size` numbers: the lower band has min(max(16, size/step), max) numbers, and none when there are 16 or fewer. */
export function bandOffset(size: bigint, step: bigint, max: bigint): bigint {
  if (size <= 16n) return 0n;
  const wanted = size / step > 16n ? size / step : 16n;
  return wanted < max ? wanted : max;
}

/**
 * Numbers out of a range, each held once. Automatic picks start at a random place of the upper band and walk on, so that numbers are not
 * reused at once, and come from the lower band only when the upper one is full (KEP-3070, KEP-3668).
 */
export class NumberPool {
  readonly #range: PoolRange;
  readonly #taken = new Set<bigint>();
  readonly #random: () => number;

  constructor(range: PoolRange, random: () => number = Math.random) {
    this.#range = range;
    this.#random = random;
  }

  contains(value: bigint): boolean {
    return value >= this.#range.first && value <= this.#range.last;
  }

  isTaken(value: bigint): boolean {
    return this.#taken.has(value);
  }

  /** False when someone holds it already. */
  take(value: bigint): boolean {
    if (this.#taken.has(value)) return false;
    this.#taken.add(value);
    return true;
  }

  /** Undefined when all are taken. */
  takeAny(): bigint | undefined {
    const { first, last, dynamicFrom } = this.#range;
    return this.#takeFrom(dynamicFrom, last) ?? this.#takeFrom(first, dynamicFrom - 1n);
  }

  release(value: bigint): void {
    this.#taken.delete(value);
  }

  #takeFrom(first: bigint, last: bigint): bigint | undefined {
    const size = last - first + 1n;
    if (size <= 0n) return undefined;
    const start = BigInt(Math.floor(this.#random() * Number(size)));
    for (let i = 0n; i < size; i++) {
      const value = first + ((start + i) % size);
      if (this.take(value)) return value;
      // A full pool is known by its count, not by walking it each time.
      if (i === 0n && this.#heldBetween(first, last) >= size) return undefined;
    }
    return undefined;
  }

  #heldBetween(first: bigint, last: bigint): bigint {
    if (BigInt(this.#taken.size) < last - first + 1n) return 0n;
    let held = 0n;
    for (const value of this.#taken) if (value >= first && value <= last) held++;
    return held;
  }
}
