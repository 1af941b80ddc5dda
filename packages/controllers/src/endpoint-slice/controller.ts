import {
  ENDPOINT_SLICES,
  type EndpointSlice,
  isApiError,
  keyOf,
  matchesLabels,
  NODES,
  PODS,
  type Pod,
  SERVICES,
  type Service,
} from '@ballast/kube';
import type { Controller } from '../controller.ts';
import { OwnWrites } from '../own-writes.ts';
import { startReconciler } from '../start-reconciler.ts';
import { addressTypesOf, nodeEndpoints, podEndpoints } from './desired.ts';
import { nodeChangeMatters, podChangeMatters, zoneOf } from './endpoint-matters.ts';
import { withHints } from './hints.ts';
import { pack } from './pack.ts';
import { filingPair, ServiceIndex } from './service-index.ts';
import { MANAGED_BY_LABEL, sliceToWrite } from './slice.ts';

export const MANAGER = 'endpointslice-controller.k8s.io';

/** Annotation on a Service without selector: 'nodes' makes every ready node an endpoint. */
export const ENDPOINTS_ANNOTATION = 'ballast.dev/endpoints';

/** Where the endpoints of a Service come from; undefined when somebody else provides them. */
export function endpointSource(service: Service): 'pods' | 'nodes' | undefined {
  if (service.spec?.type === 'ExternalName' || service.metadata.deletionTimestamp !== undefined) return undefined;
  if (Object.keys(service.spec?.selector ?? {}).length > 0) return 'pods';
  return service.metadata.annotations?.[ENDPOINTS_ANNOTATION] === 'nodes' ? 'nodes' : undefined;
}

/** Keeps the EndpointSlices of Services as the pods they select are. A change is written at once, never batched by time. */
export const endpointSliceController: Controller = {
  name: 'endpointslice',
  start(context) {
    const { client, informers } = context;
    const services = informers.of(SERVICES);
    const pods = informers.of(PODS);
    const nodes = informers.of(NODES);
    const slices = informers.of(ENDPOINT_SLICES);
    const index = new ServiceIndex();
    const { queue, running } = startReconciler({
      name: 'endpointslice',
      context,
      workers: 8,
      needs: [services, pods, nodes, slices],
      reconcile: (key) => reconcile(key),
    });
    const writes = new OwnWrites<EndpointSlice>(slices, context.clock);

    services.onChange((event) => {
      const key = keyOf(event.object);
      if (event.type === 'modified') index.remove(key, event.previous);
      if (event.type === 'deleted') index.remove(key, event.object);
      else index.put(key, event.object);
      queue.add(key);
    });
    pods.onChange((event) => {
      const { namespace = '' } = event.object.metadata;
      if (event.type === 'modified' && !podChangeMatters(event.previous, event.object)) return;
      const states = event.type === 'modified' ? [event.previous, event.object] : [event.object];
      for (const pod of states) for (const key of index.selecting(namespace, pod.metadata.labels)) queue.add(key);
    });
    nodes.onChange((event) => {
      const before = event.type === 'modified' ? event.previous : undefined;
      if (before && zoneOf(before) !== zoneOf(event.object)) {
        for (const pod of pods.byIndex('node', event.object.metadata.name)) {
          for (const key of index.selecting(pod.metadata.namespace ?? '', pod.metadata.labels)) queue.add(key);
        }
      }
      if (before && !nodeChangeMatters(before, event.object)) return;
      for (const service of services.list()) if (endpointSource(service) === 'nodes') queue.add(keyOf(service));
    });
    slices.onChange(({ object, type }) => {
      // Also slices of Services that we do not manage any more: they have to go.
      const name = object.metadata.labels?.['kubernetes.io/service-name'];
      const mine = object.metadata.labels?.[MANAGED_BY_LABEL] === MANAGER;
      if (name && (mine || type === 'modified')) queue.add(`${object.metadata.namespace}/${name}`);
    });

    async function reconcile(key: string): Promise<void> {
      const service = services.get(key);
      // The garbage collector removes the slices of a Service that is gone.
      if (!service) return writes.forget(key);
      const shown = [...slices.byIndex('service', key)].filter(
        (slice) => slice.metadata.labels?.[MANAGED_BY_LABEL] === MANAGER,
      );
      const existing = writes.over(key, shown).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
      const source = endpointSource(service);
      if (source === undefined) {
        // Nothing of ours may stay beside what a user provides; a Service in deletion keeps its slices to the end.
        if (service.metadata.deletionTimestamp === undefined)
          await Promise.all(existing.map((slice) => remove(key, slice)));
        return;
      }
      const groups =
        source === 'pods' ? podEndpoints(service, selected(service), nodes.get) : nodeEndpoints(service, nodes.list());
      const hinted = groups.map((group) => ({
        ...group,
        endpoints: group.endpoints.map((endpoint) => withHints(service, endpoint)),
      }));
      const packing = pack(hinted, existing, { placeholders: addressTypesOf(service) });
      for (const packed of packing.slices) {
        const wanted = sliceToWrite(service, packed, MANAGER);
        if (!wanted) continue;
        try {
          const written = packed.slice
            ? await client.update(ENDPOINT_SLICES, wanted)
            : await client.create(ENDPOINT_SLICES, wanted);
          writes.wrote(key, written);
        } catch (error) {
          // In a namespace that is being deleted nothing can be created, and nothing needs to be.
          if (!packed.slice && isApiError(error, 'Forbidden')) return;
          throw error;
        }
      }
      for (const slice of packing.remove) await remove(key, slice);
    }

    async function remove(key: string, slice: EndpointSlice): Promise<void> {
      try {
        await client.delete(ENDPOINT_SLICES, slice.metadata);
      } catch (error) {
        if (!isApiError(error, 'NotFound')) throw error;
      }
      writes.deleted(key, slice);
    }

    function* selected(service: Service): Iterable<Pod> {
      const pair = filingPair(service);
      if (pair === undefined) return;
      for (const pod of pods.byIndex('label', pair)) {
        if (matchesLabels(service.spec?.selector, pod.metadata.labels)) yield pod;
      }
    }

    return running;
  },
};
