import type { Counter, Gauge, Histogram, MetricsRegistry } from '@ballast/base';

/** The agent's own figures. */
export interface NodeMetrics {
  readonly podStartSeconds: Histogram;
  readonly pods: Gauge;
  readonly containerRestarts: Counter;
  readonly probeChecks: Counter;
  readonly statusWrites: Counter;
}

export function declareNodeMetrics(registry: MetricsRegistry): NodeMetrics {
  return {
    podStartSeconds: registry.histogram({
      name: 'ballast_node_pod_start_seconds',
      help: 'From the first sight of a pod to the status that says it is ready.',
      buckets: [0.1, 0.2, 0.3, 0.5, 0.75, 1, 2, 5, 10, 30, 60],
    }),
    pods: registry.gauge({ name: 'ballast_node_pods', help: 'Pods that this agent takes care of.' }),
    containerRestarts: registry.counter({
      name: 'ballast_node_container_restarts_total',
      help: 'Containers started again after they ended.',
    }),
    probeChecks: registry.counter({
      name: 'ballast_node_probe_checks_total',
      help: 'Checks of probes, by kind and result.',
      labels: ['kind', 'result'],
    }),
    statusWrites: registry.counter({
      name: 'ballast_node_status_writes_total',
      help: 'Pod statuses written to the API.',
    }),
  };
}
