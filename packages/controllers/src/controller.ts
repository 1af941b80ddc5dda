import type { Clock, Logger, MetricsRegistry, Running } from '@ballast/base';
import type { KubeClient } from '@ballast/kube';
import type { EventWriter } from './event-writer.ts';
import type { Informers } from './informers.ts';

/** How fast the control plane reacts to nodes that fall silent. */
export interface NodeTimings {
  /** A node whose lease was not renewed for so long is not ready, in ms. */
  readonly gracePeriodMs: number;
  /** How often leases are looked at, in ms. */
  readonly checkPeriodMs: number;
  /** Nodes of one zone that lose their pods, per second, while most of the zone works. */
  readonly evictionsPerSecond: number;
}

export const DEFAULT_NODE_TIMINGS: NodeTimings = {
  gracePeriodMs: 10_000,
  checkPeriodMs: 1000,
  evictionsPerSecond: 0.1,
};

export interface ControllerSettings {
  /** One IPv4 or IPv6 prefix, or both separated by a comma: what podCIDRs are cut from. */
  readonly clusterCidr: string;
  /** Length of the podCIDR of a node; IPv6 gets /64. */
  readonly nodeCidrPrefixLength: number;
  /** Certificate of the cluster's CA, published to every namespace. */
  readonly clusterCaPem: string;
  readonly nodes: NodeTimings;
}

/** What every controller gets. Informers are shared: never change the objects they hold. */
export interface ControllerContext {
  readonly client: KubeClient;
  readonly informers: Informers;
  readonly events: EventWriter;
  readonly settings: ControllerSettings;
  readonly metrics: MetricsRegistry;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** A control loop: a folder with one exported value, listed in list.ts. */
export interface Controller {
  /** As in upstream's kube-controller-manager where there is such a one. */
  readonly name: string;
  start(context: ControllerContext): Running;
}
