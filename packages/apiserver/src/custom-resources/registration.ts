import { type Logger, messageOf } from '@ballast/base';
import type { CustomResourceDefinition } from '@ballast/kube';
import type { CachedObject } from '../cache/cached-object.ts';
import type { WatchCache } from '../cache/watch-cache.ts';
import type { ResourceRegistry } from '../resources/registry.ts';
import { CRD_STORAGE_KEY, definitionsOf } from './custom-definitions.ts';

/** Serves the resources of every stored definition from now on; a write of a definition takes effect before it is acknowledged. */
export function registerCustomResources(kernel: {
  cache: WatchCache;
  registry: ResourceRegistry;
  logger: Logger;
}): Disposable {
  const { cache, registry, logger } = kernel;
  const definitions = cache.of(CRD_STORAGE_KEY);
  const register = (stored: CachedObject, gone: boolean) => {
    // A definition is named 'plural.group', as is the storage key of its objects.
    const key = stored.name;
    try {
      const crd = stored.parse() as unknown as CustomResourceDefinition;
      const belongs = (resource: { custom: unknown; storageKey: string }) =>
        resource.custom !== undefined && resource.storageKey === key;
      registry.replace(belongs, gone ? [] : definitionsOf(crd));
    } catch (error) {
      logger.error('a stored definition cannot be served', { definition: key, error: messageOf(error) });
    }
  };
  for (const stored of definitions.objects()) register(stored, false);
  return definitions.listen((events) => {
    for (const event of events) register(event.object, event.type === 'DELETED');
  });
}
