import { aborted, type Running, runInBackground } from '@ballast/base';
import {
  apiVersionOf,
  CUSTOM_RESOURCE_DEFINITIONS,
  type Informer,
  isApiError,
  type KubeObject,
  type OwnerReference,
  type Resource,
  resourcePath,
  runController,
  startInformer,
  WorkQueue,
} from '@ballast/kube';
import type { Controller } from '../controller.ts';
import { deletable, discover } from '../discovery.ts';
import { FOREGROUND, type GraphObject, graphObject, ORPHAN, OwnershipGraph } from './graph.ts';
import { metadataOnly } from './metadata-client.ts';
import { type OwnerState, planCollection } from './plan.ts';

/** Discovery is asked anew this often, and whenever a CRD changes. */
const DISCOVERY_PERIOD_MS = 30_000;

/** Collections without owners, and with a lot of traffic. */
const IGNORED: ReadonlySet<string> = new Set(['/events', 'events.k8s.io/events']);

/** Deletes what has lost all its owners, and carries out foreground and orphaning deletions, for every kind that the server has. */
export const garbageCollectorController: Controller = {
  name: 'garbagecollector',
  start(context) {
    const { client, clock, logger } = context;
    const metadataClient = metadataOnly(client);
    const graph = new OwnershipGraph();
    const queue = new WorkQueue(clock);
    const monitors = new Map<string, { readonly resource: Resource; readonly informer: Informer<KubeObject> }>();
    const definitions = context.informers.of(CUSTOM_RESOURCE_DEFINITIONS);
    let wake = () => {};
    definitions.onChange(() => wake());

    const look = (uids: Iterable<string>) => {
      for (const uid of uids) queue.add(uid);
    };

    async function followDiscovery(): Promise<void> {
      const discovery = await discover(client);
      const wanted = new Map(
        deletable(discovery)
          .filter(({ group, plural, verbs }) => verbs.includes('watch') && !IGNORED.has(`${group}/${plural}`))
          .map((resource) => [resourcePath(resource), resource]),
      );
      for (const [path, resource] of wanted) if (!monitors.has(path)) monitors.set(path, startMonitor(resource));
      // A group that did not answer may come back: its objects are not gone.
      if (discovery.failures.length > 0) return;
      for (const [path, { informer }] of monitors) {
        if (wanted.has(path)) continue;
        monitors.delete(path);
        await informer[Symbol.asyncDispose]();
        for (const object of informer.list()) look(graph.remove(object.metadata.uid ?? ''));
      }
    }

    function startMonitor(resource: Resource) {
      const informer = startInformer(metadataClient, resource, { logger, clock });
      informer.onChange(({ type, object }) => {
        if (type === 'deleted') look(graph.remove(object.metadata.uid ?? ''));
        else look(graph.put(graphObject(resource, object)));
      });
      return { resource, informer };
    }

    async function reconcile(uid: string): Promise<void> {
      const known = graph.get(uid);
      if (!known) return;
      const current = await client.find(known.resource, known);
      if (!current || current.metadata.uid !== uid) {
        look(graph.remove(uid));
        return;
      }
      const object = graphObject(known.resource, current);
      const states = new Map<string, OwnerState>();
      if (!object.deleting) for (const owner of object.owners) states.set(owner.uid, await ownerState(object, owner));
      const action = planCollection({
        object,
        dependents: [...graph.dependents(uid)],
        ownerState: (owner) => states.get(owner) ?? 'solid',
      });
      switch (action.kind) {
        case 'none':
          return;
        case 'delete': {
          const { resourceVersion } = current.metadata;
          const preconditions = { uid, ...(resourceVersion === undefined ? {} : { resourceVersion }) };
          return ignoreGone(
            client.delete(object.resource, object, { propagationPolicy: action.policy, preconditions }),
          );
        }
        case 'drop-owners':
          return dropOwners(current, object.resource, action.uids);
        case 'remove-finalizer':
          return removeFinalizer(current, object.resource, action.finalizer);
        case 'orphan':
          for (const dependent of action.dependents) {
            const now = await client.find(dependent.resource, dependent);
            if (now?.metadata.uid === dependent.uid) await dropOwners(now, dependent.resource, [uid]);
          }
          return removeFinalizer(current, object.resource, ORPHAN);
        case 'wait-for':
          look(action.dependents.map((dependent) => dependent.uid));
          return;
        default:
          return action satisfies never;
      }
    }

    async function ownerState(object: GraphObject, owner: OwnerReference): Promise<OwnerState> {
      if (graph.isGone(owner.uid)) return 'absent';
      const known = graph.get(owner.uid);
      const sameSpace = known && (known.namespace === undefined || known.namespace === object.namespace);
      if (known && sameSpace) return stateOf(known);
      const resource = resourceOf(owner);
      // Without the kind nothing is known about the owner, and what is not known is not deleted.
      if (!resource) throw new Error(`owner ${owner.kind} (${owner.apiVersion}) of ${object.name} is not served`);
      // An object without namespace cannot have an owner in one; that is a mistake to leave alone, not to clean up.
      if (resource.namespaced && object.namespace === undefined) return 'solid';
      const namespace = resource.namespaced ? object.namespace : undefined;
      const found = await client.find(resource, { namespace, name: owner.name });
      if (found?.metadata.uid === owner.uid) return stateOf(graphObject(resource, found));
      if (!known) graph.remember(owner.uid);
      return 'absent';
    }

    function resourceOf({ apiVersion, kind }: OwnerReference): Resource | undefined {
      const all = [...monitors.values()].map(({ resource }) => resource).filter((resource) => resource.kind === kind);
      const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
      return all.find((resource) => apiVersionOf(resource) === apiVersion) ?? all.find((r) => r.group === group);
    }

    async function dropOwners(current: KubeObject, resource: Resource, uids: readonly string[]): Promise<void> {
      const { uid, resourceVersion } = current.metadata;
      const ownerReferences = (current.metadata.ownerReferences ?? []).filter((owner) => !uids.includes(owner.uid));
      const body = { metadata: { uid, resourceVersion, ownerReferences } };
      await ignoreGone(client.patch(resource, current.metadata, { type: 'merge', body }));
    }

    async function removeFinalizer(current: KubeObject, resource: Resource, finalizer: string): Promise<void> {
      const { uid, resourceVersion } = current.metadata;
      const finalizers = (current.metadata.finalizers ?? []).filter((name) => name !== finalizer);
      const body = { metadata: { uid, resourceVersion, finalizers } };
      await ignoreGone(client.patch(resource, current.metadata, { type: 'merge', body }));
    }

    return runInBackground(async (signal) => {
      let workers: Running | undefined;
      try {
        while (!signal.aborted) {
          const changed = new Promise<void>((resolve) => {
            wake = resolve;
          });
          let waitMs = DISCOVERY_PERIOD_MS;
          try {
            await followDiscovery();
            const copies = Promise.all([...monitors.values()].map(({ informer }) => informer.synced));
            if (!workers) await Promise.race([copies, aborted(signal)]);
            workers ??= runController({ name: 'garbagecollector', queue, workers: 8, reconcile, logger });
          } catch (error) {
            waitMs = 2000;
            logger.warn('discovery failed, trying again', { controller: 'garbagecollector', error });
          }
          await Promise.race([changed, clock.sleep(waitMs, signal)]).catch(() => {});
        }
      } finally {
        await workers?.[Symbol.asyncDispose]();
        await Promise.all([...monitors.values()].map(({ informer }) => informer[Symbol.asyncDispose]()));
      }
    });
  },
};

function stateOf({ deleting, finalizers }: GraphObject): OwnerState {
  return deleting && finalizers.includes(FOREGROUND) ? 'waiting' : 'solid';
}

async function ignoreGone(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isApiError(error, 'NotFound')) throw error;
  }
}
