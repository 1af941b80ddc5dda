/**
 * When each node was last heard of, on this machine's monotonic clock: renewTime is the node's clock, and only whether it changes says
 * something. Nodes are never blamed for a time in which nobody could have heard them.
 */
export class NodeHealth {
  readonly #nodes = new Map<string, { renewTime: string | undefined; heardMs: number }>();

  /** Notes what a node's lease says now; a node without a lease counts as heard when it is first seen. */
  observe(name: string, renewTime: string | undefined, nowMs: number): void {
    const known = this.#nodes.get(name);
    if (!known) this.#nodes.set(name, { renewTime, heardMs: nowMs });
    else if (known.renewTime !== renewTime) {
      known.renewTime = renewTime;
      known.heardMs = nowMs;
    }
  }

  forget(name: string): void {
    this.#nodes.delete(name);
  }

  /** The API could not be reached, or this process stood still: every node gets its full grace period again. */
  forgive(nowMs: number): void {
    for (const node of this.#nodes.values()) node.heardMs = nowMs;
  }

  silentMs(name: string, nowMs: number): number {
    return nowMs - (this.#nodes.get(name)?.heardMs ?? nowMs);
  }

  names(): Iterable<string> {
    return this.#nodes.keys();
  }
}
