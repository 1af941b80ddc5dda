import { isAbort, type Running, runInBackground } from '@ballast/base';
import { type CustomResourceDefinition, isApiError } from '@ballast/kube';
import type { CachedObject } from '../cache/cached-object.ts';
import type { Kernel } from '../kernel.ts';
import { deleteObject } from '../operations/delete.ts';
import { updateObject } from '../operations/update.ts';
import { serverWrite } from '../operations/write-context.ts';
import type { ResourceDefinition } from '../resources/definition.ts';
import { CRD_STORAGE_KEY } from './custom-definitions.ts';

/** How long to wait before looking again whether objects with finalizers of their own have gone. */
const RETRY_MS = 1000;

/** Deletes the objects of definitions that are being deleted, then lets the definitions go. */
export function startDefinitionCleanup(kernel: Kernel): Running {
  const definitions = kernel.cache.of(CRD_STORAGE_KEY);
  return runInBackground(async (signal) => {
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        const listening = definitions.listen((events) => {
          if (!events.some(({ object }) => isTerminating(object))) return;
          listening[Symbol.dispose]();
          resolve();
        });
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
      const waiting = [...definitions.objects()].filter(isTerminating);
      for (const definition of waiting) await cleanUp(kernel, definition);
      if (signal.aborted) return;
      const left = [...definitions.objects()].some(isTerminating);
      await (left ? Promise.race([changed, kernel.clock.sleep(RETRY_MS, signal)]) : changed);
      if (signal.aborted) return;
    }
  });
}

function isTerminating(definition: CachedObject): boolean {
  return definition.parse().metadata.deletionTimestamp !== undefined;
}

async function cleanUp(kernel: Kernel, stored: CachedObject): Promise<void> {
  const resource = kernel.registry.find('apiextensions.k8s.io', 'v1', 'customresourcedefinitions');
  const crd = stored.parse() as unknown as CustomResourceDefinition;
  if (!resource?.deletionFinalizer || !crd.metadata.finalizers?.includes(resource.deletionFinalizer)) return;
  try {
    const instances = kernel.registry.findAnyVersion(crd.spec.group, crd.spec.names.plural);
    if (instances?.custom && !(await deleteAll(kernel, instances))) return;
    await updateObject(
      {
        createWhenMissing: false,
        tracksFields: true,
        transform: (current) => {
          if (!current) throw new Error('the definition is gone');
          current.metadata.finalizers =
            current.metadata.finalizers?.filter((name) => name !== resource.deletionFinalizer) ?? [];
          return current;
        },
      },
      serverWrite(kernel, resource, { operation: 'update', name: stored.name }),
    );
  } catch (error) {
    if (isAbort(error)) throw error;
    if (!isApiError(error, 'NotFound', 'Conflict'))
      kernel.logger.warn('a definition could not be cleaned up', { name: stored.name, error });
  }
}

/** True when nothing is left. */
async function deleteAll(kernel: Kernel, resource: ResourceDefinition): Promise<boolean> {
  const objects = [...kernel.cache.of(resource.storageKey).objects()];
  for (const { namespace, name } of objects) {
    try {
      await deleteObject({}, serverWrite(kernel, resource, { operation: 'delete', namespace, name }));
    } catch (error) {
      if (!isApiError(error, 'NotFound')) throw error;
    }
  }
  return kernel.cache.of(resource.storageKey).size === 0;
}
