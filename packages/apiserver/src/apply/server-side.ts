import type { Schema } from '@ballast/kube';
import type { ApiObject } from '../object/api-object.ts';
import { changed, compare } from './compare.ts';
import { FieldSet } from './field-set.ts';
import { fieldSetOf } from './field-set-of.ts';
import { isManager, type Manager, owned, readManagers, writeManagers } from './managed-fields.ts';
import { mergeApplied } from './merge.ts';
import { formatPath } from './path-element.ts';
import { prune } from './prune.ts';

export interface ApplyRequest {
  readonly schema: Schema;
  /** The object as it is; undefined creates it. */
  readonly live: ApiObject | undefined;
  /** What the manager wants to be so; only the fields that it has an opinion on. */
  readonly config: ApiObject;
  readonly manager: string;
  readonly apiVersion: string;
  /** '' for the object itself. */
  readonly subresource: string;
  /** Take over what others own with another value. */
  readonly force: boolean;
  /** Paths that this request cannot set, and so nobody owns through it: the status of a write to the object itself, for example. */
  readonly reset: FieldSet;
  readonly nowMs: number;
}

/** A field that another manager owns with another value. */
export interface ApplyConflict {
  readonly manager: Manager;
  /** '.spec.replicas'. */
  readonly field: string;
}

export type ApplyOutcome =
  | { readonly kind: 'applied'; readonly object: ApiObject }
  | { readonly kind: 'conflict'; readonly conflicts: readonly ApplyConflict[] };

/** Server-side apply (KEP-555): merges, removes what the manager gave up, settles ownership. Throws ListMergeError. */
export function applyServerSide(request: ApplyRequest): ApplyOutcome {
  const { schema, config, live } = request;
  const identity = {
    name: request.manager,
    operation: 'Apply',
    apiVersion: request.apiVersion,
    subresource: request.subresource,
  } as const;
  const managers = readManagers(live?.metadata.managedFields);
  const own = managers.find((manager) => isManager(manager, identity));
  const others = managers.filter((manager) => manager !== own);
  const wanted = owned(fieldSetOf(schema, config)).withoutSubtrees(request.reset);

  const present = live ?? { metadata: { name: config.metadata.name } };
  const merged = mergeApplied(schema, present, config);
  const givenUp = own ? own.fields.difference(wanted) : FieldSet.empty;
  const stillOwned = others.reduce((set, { fields }) => set.union(fields), wanted);
  const object = prune(schema, merged, givenUp.difference(stillOwned), stillOwned) as ApiObject;

  const comparison = live ? compare(schema, live, object) : undefined;
  const touched = comparison ? changed(comparison) : FieldSet.empty;
  const contested = others
    .map((manager) => ({ manager, fields: manager.fields.intersection(touched) }))
    .filter(({ fields }) => !fields.isEmpty);
  if (contested.length > 0 && !request.force) {
    const conflicts = contested.flatMap(({ manager, fields }) =>
      Array.from(fields.paths(), (path) => ({ manager, field: formatPath(path) })),
    );
    return { kind: 'conflict', conflicts };
  }
  const lost = comparison ? touched.union(comparison.removed) : FieldSet.empty;
  const unchanged = own?.fields.equals(wanted) && touched.isEmpty && (comparison?.removed.isEmpty ?? false);
  const time = unchanged ? own?.time : timestamp(request.nowMs);
  const settled: Manager[] = [
    ...others.map((manager) => ({ ...manager, fields: manager.fields.difference(lost) })),
    { ...identity, time, fields: wanted },
  ];
  return {
    kind: 'applied',
    object: { ...object, metadata: { ...object.metadata, managedFields: writeManagers(settled) } },
  };
}

/** meta/v1 Time. */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
