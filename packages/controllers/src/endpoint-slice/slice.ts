import { type EndpointSlice, SERVICES, type Service } from '@ballast/kube';
import { controllerReference } from '../ownership.ts';
import { same } from '../same.ts';
import { nameSuffix } from '../template-hash.ts';
import type { PackedSlice } from './pack.ts';

export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
export const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by';
export const HEADLESS_LABEL = 'service.kubernetes.io/headless';

const MAX_NAME = 253;

/** Labels of a Service's slices: the Service's own, and those that say whose they are. */
export function sliceLabels(service: Service, managedBy: string): Record<string, string> {
  const { [HEADLESS_LABEL]: _, ...own } = service.metadata.labels ?? {};
  return {
    ...own,
    ...(service.spec?.clusterIP === 'None' ? { [HEADLESS_LABEL]: '' } : {}),
    [SERVICE_NAME_LABEL]: service.metadata.name,
    [MANAGED_BY_LABEL]: managedBy,
  };
}

/** The object to write for a packed slice, or undefined when the one that is there is right already. */
export function sliceToWrite(service: Service, packed: PackedSlice, managedBy: string): EndpointSlice | undefined {
  const labels = sliceLabels(service, managedBy);
  const { slice } = packed;
  if (slice && !packed.changed && same(slice.metadata.labels, labels)) return undefined;
  const content = { addressType: packed.addressType, ports: [...packed.ports], endpoints: [...packed.endpoints] };
  if (slice) return { ...slice, ...content, metadata: { ...slice.metadata, labels } };
  const prefix = `${service.metadata.name.slice(0, MAX_NAME - 6)}-`;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${prefix}${nameSuffix()}`,
      generateName: prefix,
      namespace: service.metadata.namespace ?? '',
      labels,
      ownerReferences: [controllerReference(SERVICES, service)],
    },
    ...content,
  };
}
