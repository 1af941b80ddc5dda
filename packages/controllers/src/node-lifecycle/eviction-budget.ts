import type { Node } from '@ballast/kube';
import { zoneOf } from './plan.ts';

/** Above this share of nodes that are not ready, a zone counts as disturbed (upstream's --unhealthy-zone-threshold). */
const DISTURBED_SHARE = 0.55;

/** A disturbed zone evicts this slowly, and a small one not at all: the trouble is then rarely with the nodes. */
const DISTURBED_RATE = 0.01;
const SMALL_ZONE = 50;

/** How many nodes of each zone may lose their pods: a token bucket per zone that holds one token. */
export class EvictionBudget {
  readonly #perSecond: number;
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>();

  constructor(options: { readonly perSecond: number }) {
    this.#perSecond = options.perSecond;
  }

  /** A function that grants evictions now, in view of these nodes. `isReady` judges by what is known now. */
  at(nowMs: number, nodes: Iterable<Node>, isReady: (node: Node) => boolean): (zone: string) => boolean {
    const counts = new Map<string, { ready: number; notReady: number }>();
    for (const node of nodes) {
      const zone = zoneOf(node);
      const count = counts.get(zone) ?? { ready: 0, notReady: 0 };
      count[isReady(node) ? 'ready' : 'notReady']++;
      counts.set(zone, count);
    }
    return (zone) => this.#take(zone, this.#rateOf(counts.get(zone)), nowMs);
  }

  #rateOf(count: { ready: number; notReady: number } | undefined): number {
    if (!count) return this.#perSecond;
    const total = count.ready + count.notReady;
    const disturbed = count.ready > 0 && count.notReady > 2 && count.notReady / total >= DISTURBED_SHARE;
    if (!disturbed) return this.#perSecond;
    return total <= SMALL_ZONE ? 0 : DISTURBED_RATE;
  }

  #take(zone: string, perSecond: number, nowMs: number): boolean {
    const bucket = this.#buckets.get(zone) ?? { tokens: 1, atMs: nowMs };
    bucket.tokens = Math.min(1, bucket.tokens + ((nowMs - bucket.atMs) / 1000) * perSecond);
    bucket.atMs = nowMs;
    this.#buckets.set(zone, bucket);
    if (perSecond === 0 || bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}
