import type { KubeClient, KubeObject, WatchEvent } from '@ballast/kube';

/** A view of a client that forgets everything but metadata: what the collector keeps of a whole cluster has to stay small. */
export function metadataOnly(client: KubeClient): KubeClient {
  return {
    get: (resource, ref) => client.get(resource, ref),
    find: (resource, ref) => client.find(resource, ref),
    create: (resource, object, options) => client.create(resource, object, options),
    update: (resource, object, options) => client.update(resource, object, options),
    patch: (resource, ref, patch, options) => client.patch(resource, ref, patch, options),
    delete: (resource, ref, options) => client.delete(resource, ref, options),
    read: (path) => client.read(path),
    post: (path, body) => client.post(path, body),
    async list(resource, options) {
      const list = await client.list(resource, options);
      return { ...list, items: list.items.map(strip) };
    },
    async *watch(resource, options) {
      for await (const event of client.watch(resource, options)) yield stripEvent(event);
    },
  };
}

function stripEvent<T extends KubeObject>(event: WatchEvent<T>): WatchEvent<T> {
  return event.type === 'BOOKMARK' ? event : { type: event.type, object: strip(event.object) };
}

/** The rest of T is gone; whoever asks for metadata only knows that. */
function strip<T extends KubeObject>({ metadata }: T): T {
  const { name, namespace, uid, resourceVersion, deletionTimestamp, ownerReferences, finalizers } = metadata;
  const kept = { name, namespace, uid, resourceVersion, deletionTimestamp, ownerReferences, finalizers };
  return { metadata: kept } as unknown as T;
}
