import type { Cluster } from './cluster.ts';
import type { NodeInfo, PlacedPod } from './node-info.ts';

/** Changes of the cluster that may make room for a pod that found none. */
export type ClusterEvent =
  | 'node-added'
  | 'node-changed'
  | 'pod-left'
  | 'pod-changed'
  | 'pod-placed'
  | 'namespace-changed';

/** Says why a pod cannot run on a node; nothing when it can. */
export type NodeFilter = (node: NodeInfo) => readonly string[] | undefined;

/** Rules nodes out. */
export interface FilterPlugin {
  /** As in upstream's framework. */
  readonly name: string;
  /** What may change this filter's mind. */
  readonly wakesOn: readonly ClusterEvent[];
  /** Removing pods from the node can help. */
  readonly preemptible: boolean;
  /** Called once for each pod; undefined when the pod has no such demand, which then costs nothing for each node. */
  readonly prepare: (placed: PlacedPod, cluster: Cluster) => NodeFilter | undefined;
}

/** Compares the nodes that are left. Scores may have any range; they are brought to 0..100 over these nodes, then weighted. */
export interface ScorePlugin {
  readonly name: string;
  readonly weight: number;
  /** 'as-is' scores are 0..100 already; 'high' and 'low' say which end of the range is good. */
  readonly scale: 'as-is' | 'high' | 'low';
  readonly prepare: (
    placed: PlacedPod,
    cluster: Cluster,
    nodes: readonly NodeInfo[],
  ) => ((node: NodeInfo) => number) | undefined;
}
