import type { Schema } from '@ballast/kube';
import type { ApiObject } from '../object/api-object.ts';
import { changed, compare } from './compare.ts';
import { FieldSet } from './field-set.ts';
import { fieldSetOf } from './field-set-of.ts';
import { capUpdateManagers, isManager, type Manager, owned, readManagers, writeManagers } from './managed-fields.ts';
import { ListMergeError } from './path-element.ts';
import { timestamp } from './server-side.ts';

export interface UpdateToTrack {
  readonly schema: Schema;
  /** Before the write; undefined for a creation. Its managedFields count, those in `object` are the client's copy. */
  readonly live: ApiObject | undefined;
  /** After the write. */
  readonly object: ApiObject;
  readonly manager: string;
  readonly apiVersion: string;
  readonly subresource: string;
  /** Paths that this request cannot set. */
  readonly reset: FieldSet;
  readonly nowMs: number;
}

/**
 * The managedFields of an object that was created, replaced or patched other than by apply: the writer owns what it changed, and others no
 * longer do. A client that sends an empty list ([]) asks to forget all ownership (upstream's way to reset it).
 */
export function trackUpdate(update: UpdateToTrack): ApiObject['metadata']['managedFields'] {
  const { schema, live, object } = update;
  const identity = {
    name: update.manager,
    operation: 'Update',
    apiVersion: update.apiVersion,
    subresource: update.subresource,
  } as const;
  const forget = live !== undefined && object.metadata.managedFields?.length === 0;
  if (forget) return undefined;
  const comparison = compareOrCreate(schema, live, object);
  const settable = (set: FieldSet) => owned(set).withoutSubtrees(update.reset);
  const gained = settable(changed(comparison));
  const managers = readManagers(live?.metadata.managedFields);
  if (gained.isEmpty && comparison.removed.isEmpty) return live?.metadata.managedFields;
  const lost = gained.union(comparison.removed);
  const own = managers.find((manager) => isManager(manager, identity));
  const others: Manager[] = managers
    .filter((manager) => manager !== own)
    .map((manager) => ({ ...manager, fields: manager.fields.difference(lost) }));
  const kept = (own?.fields ?? FieldSet.empty).difference(comparison.removed);
  const mine: Manager = {
    ...identity,
    time: gained.isEmpty ? own?.time : timestamp(update.nowMs),
    fields: kept.union(gained),
  };
  const entries = writeManagers(capUpdateManagers([...others, mine]));
  return entries.length === 0 ? undefined : entries;
}

function compareOrCreate(schema: Schema, live: ApiObject | undefined, object: ApiObject) {
  if (live) return compare(schema, live, object);
  try {
    return { added: fieldSetOf(schema, object), modified: FieldSet.empty, removed: FieldSet.empty };
  } catch (error) {
    // A list with the same key twice (two ports of one number, say) is valid to the API but has no field paths: nobody owns parts of it.
    if (error instanceof ListMergeError) return { ...compare(schema, {}, object) };
    throw error;
  }
}
