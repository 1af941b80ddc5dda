import { sendObject, writeContext } from '../endpoints/resource-endpoint.ts';
import { readObject } from '../http/body.ts';
import { listAt } from '../object/api-object.ts';
import { methodNotAllowed, notFound } from '../object/failures.ts';
import { isDryRun } from '../operations/delete.ts';
import { updateObject } from '../operations/update.ts';
import type { SubresourceHandler } from './index.ts';

/** Sets a namespace's spec.finalizers: how the namespace controller says that nothing is left in it. */
export const serveFinalize: SubresourceHandler = async (call, verb) => {
  if (verb !== 'update') throw methodNotAllowed();
  const { resource, path, exchange } = call;
  const body = await readObject(exchange.request, resource.schema);
  const { object } = await updateObject(
    {
      createWhenMissing: false,
      transform: (namespace) => {
        if (!namespace) throw notFound(resource, path.name);
        const finalizers = listAt(body, 'spec', 'finalizers');
        namespace.spec = finalizers.length > 0 ? { finalizers } : {};
        if (body.metadata.resourceVersion) namespace.metadata.resourceVersion = body.metadata.resourceVersion;
        else delete namespace.metadata.resourceVersion;
        return namespace;
      },
    },
    writeContext(call, 'update', isDryRun(undefined, exchange.query)),
  );
  await sendObject(call, 200, object);
};
