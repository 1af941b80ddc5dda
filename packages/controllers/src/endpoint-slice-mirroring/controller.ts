import { parseIp } from '@ballast/base';
import {
  ENDPOINT_SLICES,
  ENDPOINTS,
  type Endpoint,
  type EndpointSlice,
  type Endpoints,
  isApiError,
  keyOf,
  SERVICES,
} from '@ballast/kube';
import type { Controller } from '../controller.ts';
import { endpointSource } from '../endpoint-slice/controller.ts';
import { type AddressType, type EndpointGroup, groupKey } from '../endpoint-slice/desired.ts';
import { pack } from '../endpoint-slice/pack.ts';
import { MANAGED_BY_LABEL, sliceToWrite } from '../endpoint-slice/slice.ts';
import { OwnWrites } from '../own-writes.ts';
import { startReconciler } from '../start-reconciler.ts';

export const MIRROR_MANAGER = 'endpointslicemirroring-controller.k8s.io';
const SKIP_LABEL = 'endpointslice.kubernetes.io/skip-mirror';

/** Copies Endpoints that users write by hand, for Services without a selector, into slices: proxies read nothing else. */
export const endpointSliceMirroringController: Controller = {
  name: 'endpointslicemirroring',
  start(context) {
    const { client, informers } = context;
    const services = informers.of(SERVICES);
    const endpoints = informers.of(ENDPOINTS);
    const slices = informers.of(ENDPOINT_SLICES);
    const { queue, running } = startReconciler({
      name: 'endpointslicemirroring',
      context,
      workers: 1,
      needs: [services, endpoints, slices],
      reconcile: (key) => reconcile(key),
    });
    const writes = new OwnWrites<EndpointSlice>(slices, context.clock);
    services.onChange(({ object }) => queue.add(keyOf(object)));
    endpoints.onChange(({ object }) => queue.add(keyOf(object)));
    slices.onChange(({ object }) => {
      const name = object.metadata.labels?.['kubernetes.io/service-name'];
      if (name) queue.add(`${object.metadata.namespace}/${name}`);
    });

    async function reconcile(key: string): Promise<void> {
      const all = [...slices.byIndex('service', key)];
      const existing = writes.over(key, all.filter(isMirror));
      const service = services.get(key);
      const source = endpoints.get(key);
      const hasOwnSlices = all.some((slice) => !isMirror(slice));
      const mirrored = service && source && mayMirror(source) && endpointSource(service) === undefined && !hasOwnSlices;
      const groups = mirrored ? mirrorGroups(source) : [];
      const packing = pack(groups, existing, { placeholders: [] });
      for (const packed of packing.slices) {
        const wanted = service && sliceToWrite(service, packed, MIRROR_MANAGER);
        if (!wanted) continue;
        const written = packed.slice
          ? await client.update(ENDPOINT_SLICES, wanted)
          : await client.create(ENDPOINT_SLICES, wanted);
        writes.wrote(key, written);
      }
      for (const slice of packing.remove) {
        try {
          await client.delete(ENDPOINT_SLICES, slice.metadata);
        } catch (error) {
          if (!isApiError(error, 'NotFound')) throw error;
        }
        writes.deleted(key, slice);
      }
    }

    return running;
  },
};

const isMirror = (slice: EndpointSlice): boolean => slice.metadata.labels?.[MANAGED_BY_LABEL] === MIRROR_MANAGER;

function mayMirror({ metadata }: Endpoints): boolean {
  const isLock = metadata.annotations?.['control-plane.alpha.kubernetes.io/leader'] !== undefined;
  return metadata.labels?.[SKIP_LABEL] !== 'true' && !isLock && metadata.deletionTimestamp === undefined;
}

/** The subsets of an Endpoints object as groups by address family and ports. */
export function mirrorGroups(source: Endpoints): EndpointGroup[] {
  const groups = new Map<string, EndpointGroup & { endpoints: Endpoint[] }>();
  for (const subset of source.subsets ?? []) {
    const ports = (subset.ports ?? []).map(({ name, port, protocol, appProtocol }) => ({
      name: name ?? '',
      port,
      protocol: protocol ?? ('TCP' as const),
      ...(appProtocol === undefined ? {} : { appProtocol }),
    }));
    const entries = [
      ...(subset.addresses ?? []).map((address) => ({ address, ready: true })),
      ...(subset.notReadyAddresses ?? []).map((address) => ({ address, ready: false })),
    ];
    for (const { address, ready } of entries) {
      const family = parseIp(address.ip)?.family;
      if (family === undefined) continue;
      const addressType: AddressType = family === 6 ? 'IPv6' : 'IPv4';
      const key = groupKey(addressType, ports);
      const group = groups.get(key) ?? { addressType, ports, endpoints: [] };
      groups.set(key, group);
      group.endpoints.push({
        addresses: [address.ip],
        conditions: { ready },
        ...(address.hostname ? { hostname: address.hostname } : {}),
        ...(address.nodeName ? { nodeName: address.nodeName } : {}),
        ...(address.targetRef ? { targetRef: address.targetRef } : {}),
      });
    }
  }
  return [...groups.values()];
}
