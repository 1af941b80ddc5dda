import { keyOf, type Pod } from '@ballast/kube';
import type { ClusterEvent, FilterPlugin } from './plugin.ts';

/** A pod that failed waits this long before its next attempt, doubling with each failure. */
const MIN_BACKOFF_MS = 1000;
const MAX_BACKOFF_MS = 10_000;

/** A pod that no event has woken is tried again after so long: an event may be missing from a filter's list. */
const MAX_PARKED_MS = 300_000;

interface Waiting {
  pod: Pod;
  attempts: number;
  /** In the order of arrival, which a pod keeps over its attempts. */
  readonly order: number;
}

type Delay =
  /** Tried again at this time. */
  | { readonly kind: 'backing-off'; readonly untilMs: number }
  /** Tried again when one of the events happens, though not before a time, or at the latest. */
  | {
      readonly kind: 'parked';
      readonly events: ReadonlySet<ClusterEvent>;
      readonly notBeforeMs: number;
      readonly untilMs: number;
    };

/**
 * Pods that wait for a node: first those of high priority, then in order of arrival. Time is handed in; the owner asks `nextMs` when to
 * come back.
 */
export class SchedulingQueue {
  readonly #pods = new Map<string, Waiting>();
  readonly #active = new PriorityHeap();
  readonly #delayed = new Map<string, Delay>();
  /** Keys of parked pods by the events that may help them. */
  readonly #wakers = new Map<ClusterEvent, Set<string>>();
  /** No delay ends before this. */
  #quietUntilMs = Number.POSITIVE_INFINITY;
  #order = 0;

  get size(): number {
    return this.#pods.size;
  }

  get activeSize(): number {
    return this.#active.size;
  }

  /** A new pod, or a new state of one that waits already. A change of its spec or labels may be what it needs: it is tried anew. */
  put(pod: Pod, nowMs: number): void {
    const key = keyOf(pod);
    const known = this.#pods.get(key);
    if (!known || known.pod.metadata.uid !== pod.metadata.uid) {
      if (known) this.remove(key);
      this.#pods.set(key, { pod, attempts: 0, order: this.#order++ });
      this.#activate(key);
      return;
    }
    const changed = facts(known.pod) !== facts(pod);
    known.pod = pod;
    if (changed && this.#delayed.get(key)?.kind === 'parked') this.#wake(key, nowMs);
  }

  remove(key: string): void {
    this.#active.remove(key);
    this.#undelay(key);
    this.#pods.delete(key);
  }

  has(key: string): boolean {
    return this.#pods.has(key);
  }

  /** Takes the next pod out. */
  pop(nowMs: number): { readonly pod: Pod; readonly attempts: number } | undefined {
    if (nowMs >= this.#quietUntilMs) this.#advance(nowMs);
    const key = this.#active.pop();
    if (key === undefined) return undefined;
    const waiting = this.#pods.get(key);
    this.#pods.delete(key);
    return waiting;
  }

  /** The pod fits nowhere now: it waits for an event that may change the mind of one of these filters. */
  park(pod: Pod, attempts: number, refusedBy: readonly FilterPlugin[], nowMs: number): void {
    const events = refusedBy.length > 0 ? refusedBy.flatMap(({ wakesOn }) => wakesOn) : (['node-added'] as const);
    const delay: Delay = {
      kind: 'parked',
      events: new Set(events),
      untilMs: nowMs + MAX_PARKED_MS,
      notBeforeMs: nowMs + backoffMs(attempts),
    };
    this.#putBack(pod, attempts, delay);
  }

  /** Something else went wrong (the bind failed): the pod is tried again by time. */
  backOff(pod: Pod, attempts: number, nowMs: number): void {
    this.#putBack(pod, attempts, { kind: 'backing-off', untilMs: nowMs + backoffMs(attempts) });
  }

  /** Something has happened in the cluster. Pods that it may help are tried again, though not before their back-off has passed. */
  wake(event: ClusterEvent, nowMs: number): void {
    for (const key of [...(this.#wakers.get(event) ?? [])]) this.#wake(key, nowMs);
  }

  /** When the next pod becomes active by time alone; undefined when there is nothing to wait for. */
  nextMs(): number | undefined {
    return this.#delayed.size === 0 ? undefined : this.#quietUntilMs;
  }

  #putBack(pod: Pod, attempts: number, delay: Delay): void {
    const key = keyOf(pod);
    // A pod of this name came while the attempt was under way: it is newer, or another one.
    if (this.#pods.has(key)) return;
    this.#pods.set(key, { pod, attempts, order: this.#order++ });
    this.#delay(key, delay);
  }

  #delay(key: string, delay: Delay): void {
    this.#undelay(key);
    this.#delayed.set(key, delay);
    this.#quietUntilMs = Math.min(this.#quietUntilMs, delay.untilMs);
    if (delay.kind !== 'parked') return;
    for (const event of delay.events) {
      const keys = this.#wakers.get(event);
      if (keys) keys.add(key);
      else this.#wakers.set(event, new Set([key]));
    }
  }

  #undelay(key: string): void {
    const delay = this.#delayed.get(key);
    if (!delay) return;
    this.#delayed.delete(key);
    if (delay.kind === 'parked') for (const event of delay.events) this.#wakers.get(event)?.delete(key);
  }

  #wake(key: string, nowMs: number): void {
    const delay = this.#delayed.get(key);
    if (delay?.kind !== 'parked') return;
    if (delay.notBeforeMs <= nowMs) this.#activate(key);
    else this.#delay(key, { kind: 'backing-off', untilMs: delay.notBeforeMs });
  }

  #advance(nowMs: number): void {
    this.#quietUntilMs = Number.POSITIVE_INFINITY;
    for (const [key, { untilMs }] of [...this.#delayed]) {
      if (untilMs <= nowMs) this.#activate(key);
      else this.#quietUntilMs = Math.min(this.#quietUntilMs, untilMs);
    }
  }

  #activate(key: string): void {
    const waiting = this.#pods.get(key);
    this.#undelay(key);
    if (waiting) this.#active.push({ key, priority: waiting.pod.spec?.priority ?? 0, order: waiting.order });
  }
}

/** After the first attempt, the second, ... */
function backoffMs(attempts: number): number {
  return Math.min(MAX_BACKOFF_MS, MIN_BACKOFF_MS * 2 ** Math.min(Math.max(0, attempts - 1), 10));
}

/** What of a waiting pod decides where it may go. */
function facts({ metadata, spec }: Pod): string {
  return JSON.stringify([metadata.labels, spec]);
}

interface Entry {
  readonly key: string;
  readonly priority: number;
  readonly order: number;
}

const before = (a: Entry, b: Entry): boolean =>
  a.priority === b.priority ? a.order < b.order : a.priority > b.priority;

/** A binary heap; removed entries are skipped when their turn comes. */
class PriorityHeap {
  readonly #entries: Entry[] = [];
  readonly #alive = new Map<string, Entry>();

  get size(): number {
    return this.#alive.size;
  }

  push(entry: Entry): void {
    this.#alive.set(entry.key, entry);
    this.#entries.push(entry);
    let index = this.#entries.length - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfBefore(index, parent)) break;
      index = parent;
    }
  }

  remove(key: string): void {
    this.#alive.delete(key);
  }

  pop(): string | undefined {
    for (;;) {
      const [top] = this.#entries;
      const last = this.#entries.pop();
      if (!top || !last) return undefined;
      if (this.#entries.length > 0) {
        this.#entries[0] = last;
        this.#sink();
      }
      if (this.#alive.get(top.key) !== top) continue;
      this.#alive.delete(top.key);
      return top.key;
    }
  }

  #sink(): void {
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      const right = left + 1;
      const child = this.#isBefore(right, left) ? right : left;
      if (!this.#swapIfBefore(child, index)) return;
      index = child;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const first = this.#entries[a];
    const second = this.#entries[b];
    return first !== undefined && second !== undefined && before(first, second);
  }

  #swapIfBefore(a: number, b: number): boolean {
    const first = this.#entries[a];
    const second = this.#entries[b];
    if (!first || !second || !before(first, second)) return false;
    this.#entries[a] = second;
    this.#entries[b] = first;
    return true;
  }
}
