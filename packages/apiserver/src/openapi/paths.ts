import { type ResourceType, resourcePath } from '@ballast/kube';
import type { OpenApiSchema } from './component.ts';

interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path';
  readonly description: string;
  readonly type: 'string' | 'boolean' | 'integer';
}

const query = (name: string, type: Parameter['type'], description: string): Parameter => ({
  name,
  in: 'query',
  description,
  type,
});

const DRY_RUN = query('dryRun', 'string', 'All: go through every step but do not store.');
const FIELD_MANAGER = query('fieldManager', 'string', 'Who makes the change, for managedFields.');
/** kubectl looks for this one to know that the server validates fields. */
const FIELD_VALIDATION = query(
  'fieldValidation',
  'string',
  'Strict, Warn or Ignore: what to do about unknown and duplicate fields.',
);
const LIST = [
  query('labelSelector', 'string', 'Only objects with these labels.'),
  query('fieldSelector', 'string', 'Only objects with these fields.'),
  query('limit', 'integer', 'At most so many objects in one answer.'),
  query('continue', 'string', 'Where the last answer left off.'),
  query('resourceVersion', 'string', 'How recent the answer must be.'),
  query('resourceVersionMatch', 'string', 'Exact or NotOlderThan.'),
  query('watch', 'boolean', 'Stream changes instead.'),
  query('allowWatchBookmarks', 'boolean', 'The stream may contain bookmarks.'),
  query('sendInitialEvents', 'boolean', 'The stream begins with the present objects.'),
  query('timeoutSeconds', 'integer', 'When the stream ends.'),
];
const DELETE = [
  DRY_RUN,
  query('gracePeriodSeconds', 'integer', 'Time to end in good order.'),
  query('propagationPolicy', 'string', 'Orphan, Background or Foreground.'),
];
const WRITE = [DRY_RUN, FIELD_MANAGER, FIELD_VALIDATION];

interface Operation {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** As discovery and audit name it. */
  readonly action: string;
  readonly verb: string;
  readonly parameters: readonly Parameter[];
}

const ON_COLLECTION: readonly Operation[] = [
  { method: 'get', action: 'list', verb: 'list', parameters: LIST },
  { method: 'post', action: 'post', verb: 'create', parameters: WRITE },
  { method: 'delete', action: 'deletecollection', verb: 'deletecollection', parameters: [...LIST, ...DELETE] },
];

const ON_OBJECT: readonly Operation[] = [
  { method: 'get', action: 'get', verb: 'get', parameters: [] },
  { method: 'put', action: 'put', verb: 'update', parameters: WRITE },
  {
    method: 'patch',
    action: 'patch',
    verb: 'patch',
    parameters: [...WRITE, query('force', 'boolean', 'Server-side apply: take over fields that others own.')],
  },
  { method: 'delete', action: 'delete', verb: 'delete', parameters: DELETE },
];

const CUSTOM_PATCH_TYPES = [
  'application/apply-patch+yaml',
  'application/json-patch+json',
  'application/merge-patch+json',
];
const PATCH_TYPES = [...CUSTOM_PATCH_TYPES, 'application/strategic-merge-patch+json'];

/** Custom resources have no strategic merge patch; kubectl reads here which patch to send. */
function patchTypesOf(resource: ResourceType & { readonly custom?: unknown }): string[] {
  return resource.custom === undefined ? PATCH_TYPES : CUSTOM_PATCH_TYPES;
}

export interface OpenApiNames {
  readonly object: string;
  readonly list: string;
}

/** The paths of one resource and its subresources, with the operations that it has. */
export function pathsOf(resource: ResourceType, names: OpenApiNames): Record<string, OpenApiSchema> {
  const paths: Record<string, OpenApiSchema> = {};
  const place = resource.namespaced ? { namespace: '{namespace}' } : {};
  const add = (
    at: { name?: string; subresource?: string; namespace?: string },
    operations: readonly Operation[],
    verbs: readonly string[],
  ) => {
    const path = decodeURIComponent(resourcePath(resource, at));
    const item = pathItem(
      resource,
      path,
      operations.filter(({ verb }) => verbs.includes(verb)),
      names,
    );
    if (Object.keys(item).length > 0) paths[path] = item;
  };
  add(place, ON_COLLECTION, resource.verbs);
  if (resource.namespaced)
    add(
      {},
      ON_COLLECTION,
      resource.verbs.filter((verb) => verb === 'list'),
    );
  add({ ...place, name: '{name}' }, ON_OBJECT, resource.verbs);
  for (const { name, verbs } of resource.subresources) {
    const operations = [...ON_OBJECT, ...ON_COLLECTION.filter(({ verb }) => verb === 'create')];
    add({ ...place, name: '{name}', subresource: name }, operations, verbs);
  }
  return paths;
}

function pathItem(
  resource: ResourceType,
  path: string,
  operations: readonly Operation[],
  names: OpenApiNames,
): OpenApiSchema {
  const { group, version, kind } = resource;
  const item: OpenApiSchema = {};
  for (const { method, action, parameters } of operations) {
    const answer = action === 'list' ? names.list : names.object;
    item[method] = {
      operationId: operationId(action, path, resource),
      tags: [`${group === '' ? 'core' : group}_${version}`],
      parameters: parameters.map(parameter),
      ...(method === 'post' || method === 'put'
        ? { requestBody: { required: true, content: content(['application/json', 'application/yaml'], names.object) } }
        : {}),
      ...(method === 'patch'
        ? { requestBody: { required: true, content: content(patchTypesOf(resource), undefined) } }
        : {}),
      responses: { 200: { description: 'OK', content: content(['application/json'], answer) } },
      'x-kubernetes-action': action,
      'x-kubernetes-group-version-kind': { group, version, kind },
    };
  }
  if (Object.keys(item).length === 0) return item;
  const inPath = Array.from(path.matchAll(/\{([a-z]+)\}/g), ([, name = '']) =>
    parameter({
      name,
      in: 'path',
      description: name === 'name' ? 'Name of the object.' : 'Namespace of the object.',
      type: 'string',
    }),
  );
  return { ...item, parameters: inPath };
}

function operationId(action: string, path: string, { kind }: ResourceType): string {
  return (
    action +
    path
      .replace(/[{}]/g, '')
      .split('/')
      .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
      .join('')
      .replace(/[^A-Za-z0-9]/g, '') +
    kind
  );
}

function parameter({ name, in: place, description, type }: Parameter): OpenApiSchema {
  return {
    name,
    in: place,
    description,
    ...(place === 'path' ? { required: true } : {}),
    schema: { type, uniqueItems: true },
  };
}

function content(types: readonly string[], name: string | undefined): OpenApiSchema {
  const schema = name === undefined ? { type: 'object' } : { $ref: `#/components/schemas/${name}` };
  return Object.fromEntries(types.map((type) => [type, { schema }]));
}
