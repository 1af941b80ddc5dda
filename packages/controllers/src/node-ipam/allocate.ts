import { type Cidr, formatCidr, IP_BITS, type Ip, parseCidr } from '@ballast/base';

/** Nodes of an IPv6 cluster get a /64, whatever IPv4 nodes get. */
const IPV6_NODE_PREFIX = 64;

export interface NodeRanges {
  readonly cluster: Cidr;
  readonly nodePrefixLength: number;
}

/** The prefixes that podCIDRs are cut from. Throws when the configuration leaves no room for a node. */
export function nodeRanges(clusterCidr: string, nodeCidrPrefixLength: number): NodeRanges[] {
  return clusterCidr.split(',').map((text) => {
    const cluster = parseCidr(text.trim());
    if (!cluster) throw new Error(`cluster CIDR '${text}' is not a prefix such as 10.42.0.0/16`);
    const nodePrefixLength = cluster.ip.family === 6 ? IPV6_NODE_PREFIX : nodeCidrPrefixLength;
    if (nodePrefixLength < cluster.prefixLength || nodePrefixLength > IP_BITS[cluster.ip.family]) {
      throw new Error(`no /${nodePrefixLength} for nodes fits into the cluster CIDR ${text}`);
    }
    return { cluster, nodePrefixLength };
  });
}

/** Which podCIDRs are taken. Counting starts where the last one was found, so finding a free one is cheap. */
export class PodCidrAllocator {
  readonly #ranges: readonly NodeRanges[];
  readonly #taken: readonly Set<bigint>[];
  readonly #next: bigint[];

  constructor(ranges: readonly NodeRanges[]) {
    this.#ranges = ranges;
    this.#taken = ranges.map(() => new Set());
    this.#next = ranges.map(() => 0n);
  }

  /** Marks what a node has; prefixes from elsewhere are none of our business. */
  take(podCidrs: readonly string[]): void {
    this.#each(podCidrs, (taken, slot) => taken.add(slot));
  }

  release(podCidrs: readonly string[]): void {
    this.#each(podCidrs, (taken, slot) => taken.delete(slot));
  }

  /** One podCIDR of each range, now taken; undefined when a range is exhausted. */
  allocate(): string[] | undefined {
    const slots: bigint[] = [];
    for (const [index, range] of this.#ranges.entries()) {
      const slot = this.#freeSlot(index, range);
      if (slot === undefined) return undefined;
      slots.push(slot);
    }
    return slots.map((slot, index) => {
      this.#taken[index]?.add(slot);
      this.#next[index] = slot + 1n;
      return this.#format(index, slot);
    });
  }

  #freeSlot(index: number, { cluster, nodePrefixLength }: NodeRanges): bigint | undefined {
    const count = 1n << BigInt(nodePrefixLength - cluster.prefixLength);
    const taken = this.#taken[index];
    const start = this.#next[index] ?? 0n;
    if (!taken || BigInt(taken.size) >= count) return undefined;
    for (let i = 0n; i < count; i++) {
      const slot = (start + i) % count;
      if (!taken.has(slot)) return slot;
    }
    return undefined;
  }

  #format(index: number, slot: bigint): string {
    const range = this.#ranges[index];
    if (!range) throw new Error(`there is no range ${index}`);
    const { ip } = range.cluster;
    const value = ip.value + (slot << BigInt(IP_BITS[ip.family] - range.nodePrefixLength));
    const base: Ip = { family: ip.family, value };
    return formatCidr({ ip: base, prefixLength: range.nodePrefixLength });
  }

  #each(podCidrs: readonly string[], visit: (taken: Set<bigint>, slot: bigint) => void): void {
    for (const text of podCidrs) {
      const cidr = parseCidr(text);
      for (const [index, { cluster, nodePrefixLength }] of this.#ranges.entries()) {
        if (!cidr || cidr.ip.family !== cluster.ip.family || cidr.prefixLength !== nodePrefixLength) continue;
        const offset = (cidr.ip.value - cluster.ip.value) >> BigInt(IP_BITS[cluster.ip.family] - nodePrefixLength);
        const count = 1n << BigInt(nodePrefixLength - cluster.prefixLength);
        const taken = this.#taken[index];
        if (taken && offset >= 0n && offset < count) visit(taken, offset);
      }
    }
  }
}
