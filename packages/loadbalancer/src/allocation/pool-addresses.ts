import { formatIp, type Ip, type IpRange, rangeContains, rangeSize } from '@ballast/base';
import type { Pool } from '../configuration/configuration.ts';

const MAX_INT64 = 2n ** 63n - 1n;

/** Addresses that some old equipment takes for the network's or the broadcast address. */
export function isBuggy(ip: Ip): boolean {
  return ip.family === 4 && (ip.value % 256n === 0n || ip.value % 256n === 255n);
}

export function poolContains(pool: Pool, ip: Ip): boolean {
  return pool.ranges.some(({ range }) => rangeContains(range, ip)) && !(pool.avoidBuggyIps && isBuggy(ip));
}

/** How many addresses a pool can give out, per family; at most the largest int64, as MetalLB counts. */
export function poolSize(pool: Pool): Readonly<Record<4 | 6, number>> {
  const sizes = { 4: 0n, 6: 0n };
  for (const { range } of pool.ranges) {
    const { family } = range.first;
    sizes[family] += rangeSize(range) - (pool.avoidBuggyIps && family === 4 ? buggyIn(range) : 0n);
  }
  const bounded = (size: bigint) => Number(size > MAX_INT64 ? MAX_INT64 : size);
  return { 4: bounded(sizes[4]), 6: bounded(sizes[6]) };
}

function buggyIn({ first, last }: IpRange): bigint {
  const upTo = (value: bigint, low: bigint) => (value < low ? 0n : (value - low) / 256n + 1n);
  const between = (low: bigint) => upTo(last.value, low) - upTo(first.value - 1n, low);
  return between(0n) + between(255n);
}

/**
 * Finds free addresses in a pool's order without looking at used ones again and again: below the mark of a range, everything is used.
 */
export class FreeAddresses {
  readonly #pool: Pool;
  readonly #marks: bigint[];

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#marks = pool.ranges.map(({ range }) => range.first.value);
  }

  /** The lowest free address of a family. */
  first(family: 4 | 6, isUsed: (ip: string) => boolean): Ip | undefined {
    for (const [i, { range }] of this.#pool.ranges.entries()) {
      if (range.first.family !== family) continue;
      let value = this.#marks[i] ?? range.first.value;
      while (value <= range.last.value) {
        const ip: Ip = { family, value };
        if (!(this.#pool.avoidBuggyIps && isBuggy(ip)) && !isUsed(formatIp(ip))) {
          this.#marks[i] = value;
          return ip;
        }
        value += 1n;
      }
      this.#marks[i] = value;
    }
    return undefined;
  }

  /** An address was freed. */
  release(ip: Ip): void {
    for (const [i, { range }] of this.#pool.ranges.entries()) {
      const mark = this.#marks[i];
      if (mark !== undefined && rangeContains(range, ip) && ip.value < mark) this.#marks[i] = ip.value;
    }
  }
}
