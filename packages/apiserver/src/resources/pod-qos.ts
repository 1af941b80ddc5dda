import { parseQuantity } from '@ballast/kube';
import { listAt, objectAt } from '../object/api-object.ts';

const COUNTED = ['cpu', 'memory'] as const;

/** The quality-of-service class, from the requests and limits of all containers. */
export function qosClassOf(pod: unknown): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const containers = [...listAt(pod, 'spec', 'initContainers'), ...listAt(pod, 'spec', 'containers')];
  let any = false;
  let all = true;
  for (const container of containers) {
    const requests = objectAt(container, 'resources', 'requests') ?? {};
    const limits = objectAt(container, 'resources', 'limits') ?? {};
    for (const name of COUNTED) {
      const limit = amount(limits[name]);
      const request = requests[name] === undefined ? limit : amount(requests[name]);
      if (request || limit) any = true;
      if (!limit || request !== limit) all = false;
    }
  }
  if (!any) return 'BestEffort';
  return all ? 'Guaranteed' : 'Burstable';
}

function amount(value: unknown): number | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  return parseQuantity(String(value));
}
