import { sendObject, servePatch, serveUpdate } from '../endpoints/resource-endpoint.ts';
import { objectKey } from '../kernel.ts';
import { methodNotAllowed, notFound } from '../object/failures.ts';
import type { SubresourceHandler } from './index.ts';

/** The object, of which writes change the status only. */
export const serveStatus: SubresourceHandler = async (call, verb) => {
  const { kernel, resource, path } = call;
  switch (verb) {
    case 'get': {
      const object = kernel.cache.of(resource.storageKey).get(objectKey(resource, path.namespace, path.name));
      if (!object) throw notFound(resource, path.name);
      return sendObject(call, 200, object);
    }
    case 'update':
      return serveUpdate(call);
    case 'patch':
      return servePatch(call);
    default:
      throw methodNotAllowed();
  }
};
