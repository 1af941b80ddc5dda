import type { Counter, Gauge, MetricsRegistry } from '@ballast/base';
import type { PoolUse } from '../allocation/allocator.ts';

/** MetalLB's metrics of the controller, under the same names. */
export interface ControllerMetrics {
  readonly updates: Counter;
  readonly updateErrors: Counter;
  readonly configLoaded: Gauge;
  readonly configStale: Gauge;
  readonly servicesAllocated: Gauge;
  showPool(pool: string, use: PoolUse): void;
  hidePool(pool: string): void;
}

export function declareControllerMetrics(registry: MetricsRegistry): ControllerMetrics {
  const allocator = (name: string, help: string) =>
    registry.gauge({ name: `metallb_allocator_${name}`, help, labels: ['pool'] });
  const total = allocator('addresses_total', 'Number of usable IP addresses, per pool');
  const total4 = allocator('ipv4_addresses_total', 'Number of usable IPv4 addresses, per pool');
  const total6 = allocator('ipv6_addresses_total', 'Number of usable IPv6 addresses, per pool');
  const used = allocator('addresses_in_use_total', 'Number of IP addresses in use, per pool');
  const used4 = allocator('ipv4_addresses_in_use_total', 'Number of IPv4 addresses in use, per pool');
  const used6 = allocator('ipv6_addresses_in_use_total', 'Number of IPv6 addresses in use, per pool');
  return {
    updates: registry.counter({
      name: 'metallb_k8s_client_updates_total',
      help: 'Number of objects reconciled by the address controller',
    }),
    updateErrors: registry.counter({
      name: 'metallb_k8s_client_update_errors_total',
      help: 'Number of those that failed',
    }),
    configLoaded: registry.gauge({
      name: 'metallb_k8s_client_config_loaded_bool',
      help: '1 if the configuration was read at least once',
    }),
    configStale: registry.gauge({
      name: 'metallb_k8s_client_config_stale_bool',
      help: '1 if some configuration object is invalid and left out',
    }),
    servicesAllocated: allocator('services_allocated_total', 'Number of Services with addresses, per pool'),
    showPool(pool, use) {
      total.set(use.size[4] + use.size[6], [pool]);
      total4.set(use.size[4], [pool]);
      total6.set(use.size[6], [pool]);
      used.set(use.used[4] + use.used[6], [pool]);
      used4.set(use.used[4], [pool]);
      used6.set(use.used[6], [pool]);
    },
    hidePool(pool) {
      for (const gauge of [total, total4, total6, used, used4, used6]) gauge.remove([pool]);
    },
  };
}
