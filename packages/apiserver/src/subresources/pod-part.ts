import { sendObject, servePatch, serveUpdate } from '../endpoints/resource-endpoint.ts';
import { objectKey } from '../kernel.ts';
import { methodNotAllowed, notFound } from '../object/failures.ts';
import type { SubresourceHandler } from './index.ts';

/** Parts of a running pod that may change through a path of their own (ephemeralcontainers, resize); validation holds the rest still. */
export const servePodPart: SubresourceHandler = async (call, verb) => {
  const { kernel, resource, path } = call;
  if (verb === 'update') return serveUpdate(call);
  if (verb === 'patch') return servePatch(call);
  if (verb !== 'get') throw methodNotAllowed();
  const object = kernel.cache.of(resource.storageKey).get(objectKey(resource, path.namespace, path.name));
  if (!object) throw notFound(resource, path.name);
  await sendObject(call, 200, object);
};
