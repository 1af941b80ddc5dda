import type { ManagedFieldsEntry } from '@ballast/kube';
import { FieldSet, formatFieldsV1, parseFieldsV1 } from './field-set.ts';

/** One manager's fields: an entry of metadata.managedFields with its set read. */
export interface Manager {
  readonly name: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string | undefined;
  readonly fields: FieldSet;
}

/** More Update managers than this are merged, oldest first, as upstream does. */
const MAX_UPDATE_MANAGERS = 10;
const ANCIENT = 'ancient-changes';

/** Paths that nobody owns: identity and what the server keeps. */
export const UNOWNED = FieldSet.ofPaths([
  ['f:apiVersion'],
  ['f:kind'],
  ...[
    'name',
    'namespace',
    'generateName',
    'creationTimestamp',
    'selfLink',
    'uid',
    'generation',
    'managedFields',
    'resourceVersion',
  ].map((name) => ['f:metadata', `f:${name}`]),
]);

/** 'metadata' itself is no field of anybody, unlike what is in it. */
export function owned(fields: FieldSet): FieldSet {
  return fields.withoutSubtrees(UNOWNED).difference(FieldSet.ofPaths([['f:metadata']]));
}

export function readManagers(entries: readonly ManagedFieldsEntry[] | undefined): Manager[] {
  return (entries ?? []).map((entry) => ({
    name: entry.manager,
    operation: entry.operation === 'Apply' ? 'Apply' : 'Update',
    apiVersion: entry.apiVersion,
    subresource: entry.subresource ?? '',
    time: entry.time,
    fields: parseFieldsV1(entry.fieldsV1),
  }));
}

/** The entries to store: without managers that own nothing, in upstream's order. */
export function writeManagers(managers: readonly Manager[]): ManagedFieldsEntry[] {
  return [...managers]
    .filter(({ fields }) => !fields.isEmpty)
    .sort(
      (a, b) =>
        a.operation.localeCompare(b.operation) ||
        (a.time ?? '').localeCompare(b.time ?? '') ||
        a.name.localeCompare(b.name) ||
        a.subresource.localeCompare(b.subresource),
    )
    .map(({ name, operation, apiVersion, subresource, time, fields }) => ({
      manager: name,
      operation,
      apiVersion,
      ...(time === undefined ? {} : { time }),
      fieldsType: 'FieldsV1' as const,
      fieldsV1: formatFieldsV1(fields),
      ...(subresource === '' ? {} : { subresource }),
    }));
}

export type ManagerIdentity = Pick<Manager, 'name' | 'operation' | 'apiVersion' | 'subresource'>;

export function isManager(a: ManagerIdentity, b: ManagerIdentity): boolean {
  // An Apply manager keeps its identity when it moves to another version of the API.
  const sameVersion = a.operation === 'Apply' || a.apiVersion === b.apiVersion;
  return a.name === b.name && a.operation === b.operation && a.subresource === b.subresource && sameVersion;
}

/** Merges the oldest Update managers into one when there are too many. */
export function capUpdateManagers(managers: readonly Manager[]): Manager[] {
  const updates = managers.filter(({ operation, fields }) => operation === 'Update' && !fields.isEmpty);
  if (updates.length <= MAX_UPDATE_MANAGERS) return [...managers];
  updates.sort((a, b) => (a.time ?? '').localeCompare(b.time ?? ''));
  const ancient = updates.slice(0, updates.length - MAX_UPDATE_MANAGERS + 1);
  const newest = ancient.at(-1);
  if (!newest) return [...managers];
  const fields = ancient.reduce((set, manager) => set.union(manager.fields), FieldSet.empty);
  return [
    ...managers.filter((manager) => !ancient.includes(manager)),
    { ...newest, name: ANCIENT, subresource: '', fields },
  ];
}
