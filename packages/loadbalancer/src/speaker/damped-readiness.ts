/**
 * Whether nodes are Ready, with patience: a node that was just seen not Ready counts as Ready for a while. A node agent that restarts may
 * say "not ready" for a moment, and moving addresses for it would break the connections that its kernel carries all the same. A node that
 * is really gone is noticed by heartbeats and hold timers much sooner.
 */
export class DampedReadiness {
  readonly #patienceMs: number;
  readonly #notReadySinceMs = new Map<string, number>();

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /** What counts for a node whose condition is `ready` now. */
  observe(node: string, state: { readonly ready: boolean; readonly nowMs: number }): boolean {
    if (state.ready) {
      this.#notReadySinceMs.delete(node);
      return true;
    }
    const sinceMs = this.#notReadySinceMs.get(node) ?? state.nowMs;
    this.#notReadySinceMs.set(node, sinceMs);
    return state.nowMs - sinceMs < this.#patienceMs;
  }

  /** When an answer will change without anything else happening. */
  nextMs(nowMs: number): number | undefined {
    let next: number | undefined;
    for (const sinceMs of this.#notReadySinceMs.values()) {
      const dueMs = sinceMs + this.#patienceMs;
      if (dueMs > nowMs && (next === undefined || dueMs < next)) next = dueMs;
    }
    return next;
  }

  /** Nodes that no longer exist are forgotten. */
  keep(nodes: ReadonlySet<string>): void {
    for (const node of this.#notReadySinceMs.keys()) if (!nodes.has(node)) this.#notReadySinceMs.delete(node);
  }
}
