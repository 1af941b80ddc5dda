import { type FieldRequirement, parseFieldSelector, parseLabelSelector, SelectorSyntaxError } from '@ballast/kube';
import type { Selection } from '../cache/cached-object.ts';
import { badRequest } from '../object/failures.ts';
import type { ResourceDefinition } from '../resources/definition.ts';

/** Reads labelSelector and fieldSelector; 400 for bad syntax and for fields that the resource does not select by. */
export function parseSelection(query: URLSearchParams, resource: ResourceDefinition, namespace: string): Selection {
  try {
    const fields = parseFieldSelector(query.get('fieldSelector') ?? '');
    for (const { path } of fields) requireSelectable(path, resource);
    return {
      namespace: resource.namespaced && namespace !== '' ? namespace : undefined,
      labels: parseLabelSelector(query.get('labelSelector') ?? ''),
      fields,
      readers: resource.selectableFields,
    };
  } catch (error) {
    if (error instanceof SelectorSyntaxError) throw badRequest(error.message);
    throw error;
  }
}

function requireSelectable(path: FieldRequirement['path'], resource: ResourceDefinition): void {
  if (path === 'metadata.name' || (path === 'metadata.namespace' && resource.namespaced)) return;
  if (!Object.hasOwn(resource.selectableFields, path)) throw badRequest(`field label not supported: ${path}`);
}

/** True when every object of the resource is selected. */
export function selectsAll(selection: Selection): boolean {
  return selection.namespace === undefined && selection.labels.length === 0 && selection.fields.length === 0;
}
