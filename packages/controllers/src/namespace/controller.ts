import { CUSTOM_RESOURCE_DEFINITIONS, isApiError, keyOf, NAMESPACES, type Namespace, PODS } from '@ballast/kube';
import { timeOf, withCondition } from '../conditions.ts';
import type { Controller } from '../controller.ts';
import { type Discovery, deletable, discover } from '../discovery.ts';
import { same } from '../same.ts';
import { startReconciler } from '../start-reconciler.ts';
import { drainNamespace, type Remains } from './drain.ts';

const FINALIZER = 'kubernetes';

/** How often a namespace that waits for finalizers of its content is looked at, when no pod of it tells us earlier. */
const LOOK_AGAIN_MS = 1000;

/** Discovery is asked anew after so long, or as soon as a CRD changes. */
const DISCOVERY_MAX_AGE_MS = 30_000;

/** Empties a namespace that is being deleted, whatever kinds of objects it holds, then lets it go. */
export const namespaceController: Controller = {
  name: 'namespace',
  start(context) {
    const { client, clock } = context;
    const namespaces = context.informers.of(NAMESPACES);
    const definitions = context.informers.of(CUSTOM_RESOURCE_DEFINITIONS);
    const pods = context.informers.of(PODS);
    let known: { readonly discovery: Promise<Discovery>; readonly atMs: number } | undefined;
    const { queue, running } = startReconciler({
      name: 'namespace',
      context,
      workers: 4,
      needs: [namespaces],
      reconcile: (key) => reconcile(key),
    });
    definitions.onChange(() => {
      known = undefined;
    });
    namespaces.onChange(({ object, type }) => {
      if (type !== 'deleted' && object.metadata.deletionTimestamp !== undefined) queue.add(keyOf(object));
    });
    pods.onChange(({ object, type }) => {
      const { namespace = '' } = object.metadata;
      if (type === 'deleted' && namespaces.get(namespace)?.metadata.deletionTimestamp !== undefined)
        queue.add(namespace);
    });

    async function discovery(): Promise<Discovery> {
      if (!known || clock.monotonicMs() - known.atMs > DISCOVERY_MAX_AGE_MS) {
        const asked = discover(client);
        known = { discovery: asked, atMs: clock.monotonicMs() };
        asked.catch(() => {
          known = undefined;
        });
      }
      return known.discovery;
    }

    async function reconcile(key: string): Promise<void> {
      const namespace = namespaces.get(key);
      if (namespace?.metadata.deletionTimestamp === undefined) return;
      if (!namespace.spec?.finalizers?.includes(FINALIZER)) return;
      const found = await discovery();
      const remains = await drainNamespace(
        client,
        key,
        deletable(found).filter(({ namespaced }) => namespaced),
      );
      const problems = [...found.failures, ...remains.failures];
      if (problems.length === 0 && remains.counts.size === 0) {
        await finalize(namespace);
        return;
      }
      await report(namespace, found.failures, remains);
      if (problems.length > 0) throw new Error(`namespace ${key} is not empty yet: ${problems.join('; ')}`);
      queue.addAfter(key, LOOK_AGAIN_MS);
    }

    async function finalize(namespace: Namespace): Promise<void> {
      const finalizers = namespace.spec?.finalizers?.filter((finalizer) => finalizer !== FINALIZER) ?? [];
      try {
        await client.update(
          NAMESPACES,
          { ...namespace, spec: { ...namespace.spec, finalizers } },
          { subresource: 'finalize' },
        );
      } catch (error) {
        if (!isApiError(error, 'NotFound')) throw error;
      }
    }

    async function report(namespace: Namespace, discoveryFailures: readonly string[], remains: Remains): Promise<void> {
      const conditions = remainsConditions(namespace, discoveryFailures, remains, clock.nowMs());
      if (same(conditions, namespace.status?.conditions)) return;
      const { name } = namespace.metadata;
      try {
        await client.patch(
          NAMESPACES,
          { name },
          { type: 'merge', body: { status: { conditions } } },
          { subresource: 'status' },
        );
      } catch (error) {
        if (!isApiError(error, 'NotFound')) throw error;
      }
    }

    return running;
  },
};

type Condition = NonNullable<NonNullable<Namespace['status']>['conditions']>[number];

/** Upstream's five conditions of a namespace in deletion; their messages are what `kubectl describe` shows of a stuck one. */
export function remainsConditions(
  namespace: Namespace,
  discoveryFailures: readonly string[],
  remains: Remains,
  nowMs: number,
): Condition[] {
  const counts = [...remains.counts].map(([name, count]) => `${name} has ${count} resource instances`).sort();
  const holders = [...remains.finalizers].map(([name, count]) => `${name} in ${count} resource instances`).sort();
  const rows: readonly [type: string, text: string, bad: string, good: string, goodMessage: string][] = [
    [
      'NamespaceDeletionDiscoveryFailure',
      discoveryFailures.length > 0 ? `Discovery failed for some groups: ${discoveryFailures.join(', ')}` : '',
      'DiscoveryFailed',
      'ResourcesDiscovered',
      'All resources successfully discovered',
    ],
    [
      'NamespaceDeletionContentFailure',
      remains.failures.length > 0 ? `Failed to delete all resource types: ${remains.failures.join(', ')}` : '',
      'ContentDeletionFailed',
      'ContentDeleted',
      'All content successfully deleted, may be waiting on finalization',
    ],
    [
      'NamespaceContentRemaining',
      counts.length > 0 ? `Some resources are remaining: ${counts.join(', ')}` : '',
      'SomeResourcesRemain',
      'ContentRemoved',
      'All content successfully removed',
    ],
    [
      'NamespaceFinalizersRemaining',
      holders.length > 0 ? `Some content in the namespace has finalizers remaining: ${holders.join(', ')}` : '',
      'SomeFinalizersRemain',
      'ContentHasNoFinalizers',
      'All content-preserving finalizers finished',
    ],
  ];
  let conditions: Condition[] = [...(namespace.status?.conditions ?? [])];
  for (const [type, text, bad, good, goodMessage] of rows) {
    const next = {
      type,
      status: text === '' ? 'False' : 'True',
      reason: text === '' ? good : bad,
      message: text === '' ? goodMessage : text,
      lastTransitionTime: timeOf(nowMs),
    } as Condition;
    conditions = withCondition(conditions, next);
  }
  return conditions;
}
