import { type Pod, parseQuantityNanos } from '@ballast/kube';

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

const positive = (amount: string | number | undefined): bigint =>
  amount === undefined ? 0n : (parseQuantityNanos(amount) ?? 0n);

/**
 * Guaranteed: every container has limits for CPU and memory, and requests equal to them (or none). BestEffort: nothing is set. All others
 * are Burstable.
 */
export function qosClassOf(pod: Pod): QosClass {
  const containers = [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])];
  let anySet = false;
  let guaranteed = containers.length > 0;
  for (const { resources } of containers) {
    for (const name of ['cpu', 'memory']) {
      const limit = positive(resources?.limits?.[name]);
      const request = positive(resources?.requests?.[name]);
      if (limit > 0n || request > 0n) anySet = true;
      if (limit === 0n || (request > 0n && request !== limit)) guaranteed = false;
    }
  }
  if (!anySet) return 'BestEffort';
  return guaranteed ? 'Guaranteed' : 'Burstable';
}
