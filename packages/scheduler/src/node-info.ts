import type { Node, Pod } from '@ballast/kube';
import { type Amounts, amountsOf, type Demand, demandOf, type HostPort } from './demand.ts';

/** A pod that counts on a node, running or on its way there. */
export interface PlacedPod {
  readonly pod: Pod;
  readonly demand: Demand;
  readonly priority: number;
}

export function placedPod(pod: Pod): PlacedPod {
  return { pod, demand: demandOf(pod), priority: pod.spec?.priority ?? 0 };
}

/** A node with what its pods take from it, kept up to date pod by pod. */
export class NodeInfo {
  readonly name: string;
  #node: Node;
  #allocatable: Amounts;
  #images: ReadonlyMap<string, number>;
  readonly #pods = new Map<string, PlacedPod>();
  readonly #requested = new Map<string, number>();
  #estimate = { milliCpu: 0, memory: 0 };
  #hostPorts: HostPort[] = [];

  constructor(node: Node) {
    this.name = node.metadata.name;
    this.#node = node;
    this.#allocatable = amountsOf(node.status?.allocatable ?? node.status?.capacity);
    this.#images = imagesOf(node);
  }

  get node(): Node {
    return this.#node;
  }

  set node(node: Node) {
    this.#node = node;
    this.#allocatable = amountsOf(node.status?.allocatable ?? node.status?.capacity);
    this.#images = imagesOf(node);
  }

  get labels(): Readonly<Record<string, string>> {
    return this.#node.metadata.labels ?? {};
  }

  /** What pods may use, by resource. */
  get allocatable(): Amounts {
    return this.#allocatable;
  }

  get requested(): Amounts {
    return this.#requested;
  }

  get estimate(): { readonly milliCpu: number; readonly memory: number } {
    return this.#estimate;
  }

  get hostPorts(): readonly HostPort[] {
    return this.#hostPorts;
  }

  get podCount(): number {
    return this.#pods.size;
  }

  /** Sizes of the images on the node, in bytes, under each of their names. */
  get images(): ReadonlyMap<string, number> {
    return this.#images;
  }

  pods(): Iterable<PlacedPod> {
    return this.#pods.values();
  }

  add(key: string, placed: PlacedPod): void {
    this.remove(key);
    this.#pods.set(key, placed);
    this.#count(placed.demand, 1);
    this.#hostPorts.push(...placed.demand.hostPorts);
  }

  remove(key: string): void {
    const placed = this.#pods.get(key);
    if (!placed) return;
    this.#pods.delete(key);
    this.#count(placed.demand, -1);
    if (placed.demand.hostPorts.length > 0) {
      this.#hostPorts = [...this.#pods.values()].flatMap(({ demand }) => demand.hostPorts);
    }
  }

  /** A copy to try things out on. */
  clone(): NodeInfo {
    const copy = new NodeInfo(this.#node);
    for (const [key, placed] of this.#pods) copy.add(key, placed);
    return copy;
  }

  #count({ requests, estimate }: Demand, sign: 1 | -1): void {
    for (const [name, value] of requests) this.#requested.set(name, (this.#requested.get(name) ?? 0) + sign * value);
    this.#estimate = {
      milliCpu: this.#estimate.milliCpu + sign * estimate.milliCpu,
      memory: this.#estimate.memory + sign * estimate.memory,
    };
  }
}

function imagesOf(node: Node): ReadonlyMap<string, number> {
  const images = new Map<string, number>();
  for (const { names, sizeBytes } of node.status?.images ?? []) {
    for (const name of names ?? []) images.set(name, sizeBytes ?? 0);
  }
  return images;
}
