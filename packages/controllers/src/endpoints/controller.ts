import {
  ENDPOINTS,
  type Endpoints,
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
import { endpointSource } from '../endpoint-slice/controller.ts';
import { nodeEndpoints, podEndpoints } from '../endpoint-slice/desired.ts';
import { nodeChangeMatters, podChangeMatters } from '../endpoint-slice/endpoint-matters.ts';
import { filingPair, ServiceIndex } from '../endpoint-slice/service-index.ts';
import { HEADLESS_LABEL } from '../endpoint-slice/slice.ts';
import { OwnWrites } from '../own-writes.ts';
import { same } from '../same.ts';
import { startReconciler } from '../start-reconciler.ts';
import { endpointSubsets } from './desired.ts';

const MANAGED_BY = 'endpoints.kubernetes.io/managed-by';
const MANAGER = 'endpoint-controller';
/** An object that holds every address of a Service is written at most this often. */
const MIN_INTERVAL_MS = 250;
const OVER_CAPACITY = 'endpoints.kubernetes.io/over-capacity';

/**
 * Keeps the deprecated v1 Endpoints beside the slices: the `proxy` subresource of Services and older tools read them. Nothing in the
 * path of packets does, so this one may take its time.
 */
export const endpointsController: Controller = {
  name: 'endpoints',
  start(context) {
    const { client, informers } = context;
    const services = informers.of(SERVICES);
    const pods = informers.of(PODS);
    const nodes = informers.of(NODES);
    const endpoints = informers.of(ENDPOINTS);
    const index = new ServiceIndex();
    const { queue, running } = startReconciler({
      name: 'endpoints',
      context,
      workers: 2,
      needs: [services, pods, nodes, endpoints],
      reconcile: (key) => reconcile(key),
    });
    const writes = new OwnWrites<Endpoints>(endpoints, context.clock);
    const writtenMs = new Map<string, number>();
    services.onChange((event) => {
      const key = keyOf(event.object);
      if (event.type === 'modified') index.remove(key, event.previous);
      if (event.type === 'deleted') index.remove(key, event.object);
      else index.put(key, event.object);
      queue.add(key);
    });
    pods.onChange((event) => {
      if (event.type === 'modified' && !podChangeMatters(event.previous, event.object)) return;
      const states = event.type === 'modified' ? [event.previous, event.object] : [event.object];
      const { namespace = '' } = event.object.metadata;
      for (const pod of states) for (const key of index.selecting(namespace, pod.metadata.labels)) queue.add(key);
    });
    nodes.onChange((event) => {
      if (event.type === 'modified' && !nodeChangeMatters(event.previous, event.object)) return;
      for (const service of services.list()) if (endpointSource(service) === 'nodes') queue.add(keyOf(service));
    });
    endpoints.onChange(({ object }) => {
      if (object.metadata.labels?.[MANAGED_BY] === MANAGER) queue.add(keyOf(object));
    });

    async function reconcile(key: string): Promise<void> {
      const service = services.get(key);
      const shown = endpoints.get(key);
      const [existing] = writes.over(key, shown ? [shown] : []);
      const source = service && endpointSource(service);
      if (!service || source === undefined) {
        writtenMs.delete(key);
        const mine = existing?.metadata.labels?.[MANAGED_BY] === MANAGER;
        if (existing && mine && service?.metadata.deletionTimestamp === undefined) await remove(key, existing);
        return;
      }
      const nowMs = context.clock.monotonicMs();
      const waitMs = (writtenMs.get(key) ?? Number.NEGATIVE_INFINITY) + MIN_INTERVAL_MS - nowMs;
      if (waitMs > 0) {
        queue.addAfter(key, waitMs);
        return;
      }
      const groups =
        source === 'pods' ? podEndpoints(service, selected(service), nodes.get) : nodeEndpoints(service, nodes.list());
      const wanted = endpointsOf(service, existing, endpointSubsets(service, groups));
      if (existing && same(existing.subsets ?? [], wanted.subsets ?? []) && same(metaOf(existing), metaOf(wanted)))
        return;
      writtenMs.set(key, nowMs);
      try {
        writes.wrote(key, existing ? await client.update(ENDPOINTS, wanted) : await client.create(ENDPOINTS, wanted));
      } catch (error) {
        if (existing || !isApiError(error, 'Forbidden')) throw error;
      }
    }

    async function remove(key: string, existing: Endpoints): Promise<void> {
      try {
        await client.delete(ENDPOINTS, existing.metadata);
      } catch (error) {
        if (!isApiError(error, 'NotFound')) throw error;
      }
      writes.deleted(key, existing);
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

const metaOf = ({ metadata }: Endpoints) => [metadata.labels ?? {}, metadata.annotations?.[OVER_CAPACITY]];

function endpointsOf(
  service: Service,
  existing: Endpoints | undefined,
  { subsets, truncated }: ReturnType<typeof endpointSubsets>,
): Endpoints {
  const { [OVER_CAPACITY]: _, ...annotations } = existing?.metadata.annotations ?? {};
  if (truncated) annotations[OVER_CAPACITY] = 'truncated';
  const { name, namespace = '' } = service.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      ...(existing?.metadata ?? { name, namespace }),
      labels: {
        ...service.metadata.labels,
        ...(service.spec?.clusterIP === 'None' ? { [HEADLESS_LABEL]: '' } : {}),
        [MANAGED_BY]: MANAGER,
      },
      annotations,
    },
    subsets,
  };
}
