import { messageOf } from '@ballast/base';
import { isApiError, type KubeClient, type KubeObject, type Resource } from '@ballast/kube';
import type { DiscoveredResource } from '../discovery.ts';

/** What is left of a namespace's content after one pass. */
export interface Remains {
  /** Number of objects by 'plural.group'. */
  readonly counts: ReadonlyMap<string, number>;
  /** Number of objects that hold each finalizer. */
  readonly finalizers: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
}

/** Collections are worked on side by side, but not all at once: a namespace is no reason to keep others waiting. */
const PARALLEL = 8;

/** Deletes everything in a namespace, once. Pods go first; as long as there are some, what they may still use stays. */
export async function drainNamespace(
  client: KubeClient,
  namespace: string,
  resources: readonly DiscoveredResource[],
): Promise<Remains> {
  const isPods = ({ group, plural }: Resource) => group === '' && plural === 'pods';
  const pods = await drainAll(client, namespace, resources.filter(isPods));
  if (pods.counts.size > 0 || pods.failures.length > 0) return pods;
  return drainAll(
    client,
    namespace,
    resources.filter((resource) => !isPods(resource)),
  );
}

async function drainAll(client: KubeClient, namespace: string, resources: readonly Resource[]): Promise<Remains> {
  const counts = new Map<string, number>();
  const finalizers = new Map<string, number>();
  const failures: string[] = [];
  const pending = [...resources];
  const work = async () => {
    for (let resource = pending.shift(); resource; resource = pending.shift()) {
      const name = resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`;
      try {
        const left = await drainCollection(client, namespace, resource);
        if (left.length > 0) counts.set(name, left.length);
        for (const finalizer of left.flatMap(({ metadata }) => metadata.finalizers ?? [])) {
          finalizers.set(finalizer, (finalizers.get(finalizer) ?? 0) + 1);
        }
      } catch (error) {
        failures.push(`${name}: ${messageOf(error)}`);
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  return { counts, finalizers, failures };
}

async function drainCollection(client: KubeClient, namespace: string, resource: Resource): Promise<KubeObject[]> {
  const { items } = await listOrNothing(client, namespace, resource);
  if (items.length === 0) return [];
  for (const { metadata } of items) {
    if (metadata.deletionTimestamp !== undefined) continue;
    try {
      await client.delete(resource, { namespace, name: metadata.name }, { propagationPolicy: 'Background' });
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error;
    }
  }
  return (await listOrNothing(client, namespace, resource)).items;
}

/** A collection that is not served any more (its CRD has just gone) has no content. */
async function listOrNothing(client: KubeClient, namespace: string, resource: Resource) {
  try {
    return await client.list(resource, { namespace });
  } catch (error) {
    if (isApiError(error, 'NotFound', 'MethodNotAllowed')) return { items: [] };
    throw error;
  }
}
