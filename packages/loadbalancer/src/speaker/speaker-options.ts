import type { Clock, Ip, Logger, MetricsRegistry } from '@ballast/base';
import type { KubeClient } from '@ballast/kube';
import type { MembershipTimings } from '../membership/membership.ts';

export interface SpeakerOptions {
  readonly client: KubeClient;
  readonly nodeName: string;
  /** Addresses of this node; heartbeats use the first one, routes get the one of their family as next hop. */
  readonly nodeIps: readonly Ip[];
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: MetricsRegistry;
  /** Remembers whether this process follows one that died; without it, one is assumed. */
  readonly stateDir?: string;
  /** Announce Services of this class only; when absent, those without any. */
  readonly loadBalancerClass?: string;
  /** Nothing is announced before this resolves; for example when the proxy has programmed its rules. */
  readonly ready?: Promise<void>;
  /** Whether a stop in order gives all addresses away (default), or leaves them to the successor of this process. */
  readonly handOverOnStop?: boolean;
  /**
   * Told which nodes have fallen silent, whenever that changes; well before the API knows. Nodes that were never heard are not among them:
   * heartbeats may be filtered between the two.
   */
  readonly onLostNodes?: (nodes: ReadonlySet<string>) => void;
  readonly heartbeatPort?: number;
  readonly timings?: MembershipTimings;
}
