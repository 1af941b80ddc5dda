import { isWithin, type Name } from '../wire/name.ts';

/** An answer that a transport may repeat. */
export interface Lesson {
  /** The query that it answers, as it arrived. */
  readonly query: Uint8Array;
  /** The answer, more than once when its addresses may come in any order. */
  readonly variants: readonly Uint8Array[];
  /** Where the TTLs stand in each variant. */
  readonly ttlOffsets: readonly number[];
  readonly reusableMs: number;
  /** Lower case. */
  readonly name: Name;
  readonly tally: string;
}

interface Entry {
  readonly query: Buffer;
  readonly variants: readonly Buffer[];
  readonly ttlOffsets: readonly number[];
  readonly ttls: readonly number[];
  readonly learntMs: number;
  readonly expiryMs: number;
  readonly name: Name;
  readonly tally: string;
  /** Seconds that have been taken off the TTLs so far. */
  agedSeconds: number;
  turn: number;
}

/** Octets of the id, which is the client's own. */
const ID_OCTETS = 2;

/**
 * Answers by the octets of the question: everything behind the id must be the same, which covers name, spelling, type, flags, EDNS size
 * and DO. Nothing is parsed. A stored answer gets the client's id, and its TTLs are aged in place once a second.
 */
export class WireCache {
  readonly #capacity: number;
  readonly #entries = new Map<number, Entry>();
  readonly #counts = new Map<string, number>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The answer to the `length` octets at `offset`, aged to `nowMs`, without the id; undefined when there is none. */
  find(buffer: Buffer, offset: number, length: number, nowMs: number): Buffer | undefined {
    const entry = this.#entries.get(hashOf(buffer, offset + ID_OCTETS, offset + length));
    if (!entry || entry.expiryMs <= nowMs || entry.query.length !== length) return undefined;
    const start = offset + ID_OCTETS;
    if (entry.query.compare(buffer, start, offset + length, ID_OCTETS, length) !== 0) return undefined;
    const seconds = Math.floor((nowMs - entry.learntMs) / 1000);
    if (seconds !== entry.agedSeconds) age(entry, seconds);
    this.#counts.set(entry.tally, (this.#counts.get(entry.tally) ?? 0) + 1);
    const { variants } = entry;
    if (variants.length === 1) return variants[0];
    entry.turn = (entry.turn + 1) % variants.length;
    return variants[entry.turn];
  }

  learn(lesson: Lesson, nowMs: number): void {
    const query = Buffer.from(lesson.query);
    const key = hashOf(query, ID_OCTETS, query.length);
    const variants = lesson.variants.map((bytes) => Buffer.from(bytes));
    const [first] = variants;
    if (!first) return;
    this.#entries.delete(key);
    if (this.#entries.size >= this.#capacity) {
      const [oldest] = this.#entries.keys();
      if (oldest !== undefined) this.#entries.delete(oldest);
    }
    this.#entries.set(key, {
      query,
      variants,
      ttlOffsets: lesson.ttlOffsets,
      ttls: lesson.ttlOffsets.map((at) => first.readUInt32BE(at)),
      learntMs: nowMs,
      expiryMs: nowMs + lesson.reusableMs,
      name: lesson.name,
      tally: lesson.tally,
      agedSeconds: 0,
      turn: 0,
    });
  }

  forgetBelow(names: readonly Name[]): void {
    for (const [key, { name }] of this.#entries) {
      if (names.some((changed) => isWithin(name, changed))) this.#entries.delete(key);
    }
  }

  /** How often each kind of answer was given since the last call. */
  takeCounts(): [tally: string, times: number][] {
    const counts = [...this.#counts];
    this.#counts.clear();
    return counts;
  }
}

function age(entry: Entry, seconds: number): void {
  entry.agedSeconds = seconds;
  for (const [i, at] of entry.ttlOffsets.entries()) {
    const ttl = Math.max(0, (entry.ttls[i] ?? 0) - seconds);
    for (const variant of entry.variants) variant.writeUInt32BE(ttl, at);
  }
}

/** FNV-1a. A collision is only a miss: the octets are compared. */
function hashOf(buffer: Buffer, from: number, to: number): number {
  let hash = 0x811c9dc5 | 0;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ (buffer[at] ?? 0), 0x01000193);
  return hash;
}
