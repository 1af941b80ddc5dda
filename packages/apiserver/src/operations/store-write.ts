import { StoreError } from '@ballast/store';
import { CachedObject } from '../cache/cached-object.ts';
import { storeKey } from '../cache/watch-cache.ts';
import { objectKey } from '../kernel.ts';
import type { ApiObject } from '../object/api-object.ts';
import { failure } from '../object/failures.ts';
import { composeStored } from '../object/stored-form.ts';
import type { Allocation } from '../resources/definition.ts';
import { orderMetadata } from './object-form.ts';
import type { WriteContext } from './write-context.ts';

/** How a store write ended. A conflict says that someone else wrote in between. */
export type StoreWrite = { readonly kind: 'written'; readonly object: CachedObject } | { readonly kind: 'conflict' };

/** The bytes this object is stored as: in its storage version, metadata in order. */
export function toStored(object: ApiObject, context: Pick<WriteContext, 'resource'>): Buffer {
  const { resource } = context;
  orderMetadata(object);
  const stored = resource.view ? resource.view.toStored(object) : { ...object, apiVersion: resource.storageVersion };
  return composeStored(stored);
}

/** Writes the object when the key still has `expectedRevision` (0: does not exist). A dry run only pretends. */
export async function putObject(
  context: WriteContext,
  write: {
    readonly object: ApiObject;
    readonly name: string;
    readonly expectedRevision: number;
    readonly old: ApiObject | undefined;
  },
): Promise<StoreWrite> {
  const { kernel, resource } = context;
  const key = objectKey(resource, context.namespace, write.name);
  const allocation: Allocation | undefined = resource.hooks.allocate?.(write.object, write.old, context);
  const value = toStored(write.object, context);
  if (context.dryRun) {
    const revision = write.expectedRevision || kernel.cache.revision;
    return { kind: 'written', object: CachedObject.fromStored(key, revision, value) };
  }
  try {
    const outcome = await kernel.store.transact([
      { type: 'put', key: storeKey(resource.storageKey, key), value, expectedRevision: write.expectedRevision },
    ]);
    if (outcome.kind === 'conflict') {
      allocation?.rollBack();
      return { kind: 'conflict' };
    }
    allocation?.commit();
    const revision = outcome.revisions[0] ?? 0;
    // The commit was published before it was acknowledged, so the bytes to answer with are there already.
    const cached = kernel.cache.of(resource.storageKey).get(key);
    return {
      kind: 'written',
      object: cached?.revision === revision ? cached : CachedObject.fromStored(key, revision, value),
    };
  } catch (error) {
    allocation?.rollBack();
    throw asUnavailable(error);
  }
}

/** Removes the object when it still has this revision. */
export async function removeObject(context: WriteContext, current: CachedObject): Promise<StoreWrite> {
  const { kernel, resource } = context;
  if (context.dryRun) return { kind: 'written', object: current };
  try {
    const outcome = await kernel.store.transact([
      { type: 'delete', key: storeKey(resource.storageKey, current.key), expectedRevision: current.revision },
    ]);
    if (outcome.kind === 'conflict') return { kind: 'conflict' };
    const last = current.deletedAt(outcome.revisions[0] ?? current.revision);
    resource.hooks.afterDelete?.(last.parse(), context);
    return { kind: 'written', object: last };
  } catch (error) {
    throw asUnavailable(error);
  }
}

function asUnavailable(error: unknown): unknown {
  return error instanceof StoreError ? failure('ServiceUnavailable', error.message, { retryAfterSeconds: 1 }) : error;
}
