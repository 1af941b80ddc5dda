import {
  isPodTerminal,
  keyOf,
  type LabelSelector,
  matchesLabelSelector,
  matchesLabels,
  type Namespace,
  type Node,
  type Pod,
  type Service,
} from '@ballast/kube';
import { NodeInfo, type PlacedPod, placedPod } from './node-info.ts';
import { type CountByNode, PodCounts, type PodQuery } from './pod-counts.ts';

interface Placement {
  readonly placed: PlacedPod;
  readonly node: string;
  /** Decided here, but not yet seen on the API server. */
  readonly assumed: boolean;
}

/**
 * The scheduler's view of the cluster: nodes, and the pods on them, including those that it has just sent there. Everything that
 * decisions ask for is kept up to date change by change, so that a decision costs by the number of nodes, not of pods.
 */
export class Cluster {
  readonly #nodes = new Map<string, NodeInfo>();
  readonly #placements = new Map<string, Placement>();
  readonly #counts = new PodCounts();
  readonly #antiAffine = new Map<string, Placement>();
  readonly #namespaces = new Map<string, Namespace>();
  readonly #services = new Map<string, Map<string, Service>>();

  /** Nodes in the order in which they came. */
  nodes(): IterableIterator<NodeInfo> {
    return this.#nodes.values();
  }

  get nodeCount(): number {
    return this.#nodes.size;
  }

  node(name: string): NodeInfo | undefined {
    return this.#nodes.get(name);
  }

  setNode(node: Node): void {
    const { name } = node.metadata;
    const known = this.#nodes.get(name);
    if (known) {
      known.node = node;
      return;
    }
    const info = new NodeInfo(node);
    this.#nodes.set(name, info);
    // Pods may have been seen before their node.
    for (const [key, placement] of this.#placements) if (placement.node === name) info.add(key, placement.placed);
  }

  removeNode(name: string): void {
    this.#nodes.delete(name);
  }

  setNamespace(namespace: Namespace): void {
    this.#namespaces.set(namespace.metadata.name, namespace);
  }

  removeNamespace(name: string): void {
    this.#namespaces.delete(name);
  }

  setService(service: Service): void {
    const { namespace = '', name } = service.metadata;
    let services = this.#services.get(namespace);
    if (!services) {
      services = new Map();
      this.#services.set(namespace, services);
    }
    services.set(name, service);
  }

  removeService({ metadata }: Service): void {
    this.#services.get(metadata.namespace ?? '')?.delete(metadata.name);
  }

  /** A pod as the API server has it. One that has ended takes nothing; one without a node yet leaves an assumption standing. */
  setPod(pod: Pod): void {
    const key = keyOf(pod);
    const known = this.#placements.get(key);
    const node = pod.spec?.nodeName;
    if (isPodTerminal(pod)) this.#remove(key);
    else if (node) this.#place(key, { placed: placedPod(pod), node, assumed: false });
    else if (known && !known.assumed) this.#remove(key);
  }

  removePod(pod: Pod): void {
    this.#remove(keyOf(pod));
  }

  /** The pod counts on the node from now on, though the API server does not know yet. */
  assume(pod: Pod, node: string): void {
    this.#place(keyOf(pod), { placed: placedPod(pod), node, assumed: true });
  }

  /** Takes an assumption back; what the API server has confirmed meanwhile stays. */
  forget(pod: Pod): void {
    if (this.#placements.get(keyOf(pod))?.assumed) this.#remove(keyOf(pod));
  }

  isPlaced(key: string): boolean {
    return this.#placements.has(key);
  }

  /** Pods of the same controller by node. */
  countOfOwner(uid: string): CountByNode {
    return this.#counts.ofOwner(uid);
  }

  countMatching(query: PodQuery): CountByNode {
    return this.#counts.matching(query, () => this.#allPods());
  }

  /** Pods that refuse others near them (required anti-affinity). */
  *antiAffinePods(): Iterable<{ readonly pod: Pod; readonly node: string }> {
    for (const { placed, node } of this.#antiAffine.values()) yield { pod: placed.pod, node };
  }

  /** Names of the namespaces whose labels match. */
  namespacesMatching(selector: LabelSelector): string[] {
    return [...this.#namespaces.values()]
      .filter(({ metadata }) => matchesLabelSelector(selector, metadata.labels))
      .map(({ metadata }) => metadata.name);
  }

  /** The selectors of the Services that a pod belongs to. */
  serviceSelectorsOf(pod: Pod): Readonly<Record<string, string>>[] {
    const result: Readonly<Record<string, string>>[] = [];
    for (const { spec } of this.#services.get(pod.metadata.namespace ?? '')?.values() ?? []) {
      if (spec?.selector && matchesLabels(spec.selector, pod.metadata.labels)) result.push(spec.selector);
    }
    return result;
  }

  *#allPods(): Iterable<{ readonly pod: Pod; readonly node: string }> {
    for (const { placed, node } of this.#placements.values()) yield { pod: placed.pod, node };
  }

  #place(key: string, placement: Placement): void {
    this.#remove(key);
    this.#placements.set(key, placement);
    const { pod } = placement.placed;
    this.#nodes.get(placement.node)?.add(key, placement.placed);
    this.#counts.add(pod, placement.node);
    const terms = pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    if (terms && terms.length > 0) this.#antiAffine.set(key, placement);
  }

  #remove(key: string): void {
    const placement = this.#placements.get(key);
    if (!placement) return;
    this.#placements.delete(key);
    this.#antiAffine.delete(key);
    this.#nodes.get(placement.node)?.remove(key);
    this.#counts.remove(placement.placed.pod, placement.node);
  }
}
