import type { Counter, Gauge, Histogram, MetricsRegistry } from '@ballast/base';

/** Names and buckets are kube-proxy's where the meaning is the same, so that its dashboards and alerts work unchanged. */
export interface ProxyMetrics {
  readonly syncSeconds: Histogram;
  readonly fullSyncSeconds: Histogram;
  readonly partialSyncSeconds: Histogram;
  readonly programmingSeconds: Histogram;
  readonly lastSyncSeconds: Gauge;
  readonly failures: Counter;
  readonly repairs: Counter;
  readonly elementsWritten: Counter;
  readonly staleFlows: Counter;
  readonly strandedClients: Counter;
}

const SYNC_BUCKETS = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i);
const PROGRAMMING_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

export function declareMetrics(registry: MetricsRegistry): ProxyMetrics {
  const histogram = (name: string, help: string, buckets: readonly number[] = SYNC_BUCKETS) =>
    registry.histogram({ name: `kubeproxy_${name}`, help, buckets });
  return {
    syncSeconds: histogram('sync_proxy_rules_duration_seconds', 'Time that one write to the kernel took.'),
    fullSyncSeconds: histogram('sync_full_proxy_rules_duration_seconds', 'The same, of writes of everything.'),
    partialSyncSeconds: histogram('sync_partial_proxy_rules_duration_seconds', 'The same, of writes of changes only.'),
    programmingSeconds: histogram(
      'network_programming_duration_seconds',
      'From the change of a pod to its effect on packets.',
      PROGRAMMING_BUCKETS,
    ),
    lastSyncSeconds: registry.gauge({
      name: 'kubeproxy_sync_proxy_rules_last_timestamp_seconds',
      help: 'When the kernel was last brought up to date.',
    }),
    failures: registry.counter({
      name: 'kubeproxy_sync_proxy_rules_nftables_sync_failures_total',
      help: 'Writes that the kernel or nft refused.',
    }),
    repairs: registry.counter({
      name: 'ballast_proxy_repairs_total',
      help: 'Times that the table was found changed by somebody else and written anew.',
    }),
    elementsWritten: registry.counter({
      name: 'ballast_proxy_element_changes_total',
      help: 'Elements added to or deleted from the kernel.',
    }),
    staleFlows: registry.counter({
      name: 'kubeproxy_conntrack_reconciler_deleted_entries_total',
      help: 'UDP flows forgotten because nobody was left to answer them.',
    }),
    strandedClients: registry.counter({
      name: 'ballast_proxy_affinity_evictions_total',
      help: 'Clients released from an endpoint that is gone.',
    }),
  };
}
