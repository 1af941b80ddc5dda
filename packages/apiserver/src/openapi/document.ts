import { createHash } from 'node:crypto';
import type { ResourceType, Schema } from '@ballast/kube';
import { addComponent, type Components, type OpenApiSchema } from './component.ts';
import { pathsOf } from './paths.ts';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

const text: Schema = { type: 'string' };
const listMeta: Schema = {
  type: 'object',
  name: `${META}.ListMeta`,
  description: 'What every list has.',
  properties: {
    resourceVersion: { ...text, description: 'The state of the collection that the list shows.' },
    continue: { ...text, description: 'Present when there is more: pass it to get the next part.' },
    remainingItemCount: { type: 'integer', bits: 64, description: 'How many objects are left.' },
    selfLink: { ...text, description: 'Not used any more.' },
  },
};

/**
 * The OpenAPI 3.0 document of one group version: what /openapi/v3/apis/GROUP/VERSION answers. `kubectl explain`, validation and diff read
 * it. Schemas carry the extensions that Kubernetes clients know (x-kubernetes-*).
 */
export function openApiV3Document(resources: readonly ResourceType[], serverVersion: string): OpenApiSchema {
  const components: Components = new Map();
  const paths: Record<string, OpenApiSchema> = {};
  for (const resource of resources) {
    const { group, version, kind, schema } = resource;
    const object = schema.name ?? `${group}.${version}.${kind}`;
    const list = `${object}List`;
    addComponent(object, schema, components, { 'x-kubernetes-group-version-kind': [{ group, version, kind }] });
    addComponent(
      list,
      {
        type: 'object',
        description: `A list of ${kind} objects.`,
        properties: {
          apiVersion: text,
          kind: text,
          metadata: listMeta,
          items: { type: 'list', listType: 'atomic', items: { ...schema, name: object }, required: true },
        },
      },
      components,
      { 'x-kubernetes-group-version-kind': [{ group, version, kind: `${kind}List` }] },
    );
    Object.assign(paths, pathsOf(resource, { object, list }));
  }
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: serverVersion },
    paths,
    components: { schemas: Object.fromEntries([...components].sort(([a], [b]) => (a < b ? -1 : 1))) },
  };
}

/** What /openapi/v3 answers: where each group version's document is. The hash lets clients cache a document forever. */
export function openApiV3Index(documents: ReadonlyMap<string, string | Uint8Array>): OpenApiSchema {
  const paths: Record<string, OpenApiSchema> = {};
  for (const [path, bytes] of documents) {
    const hash = createHash('sha512').update(bytes).digest('hex').toUpperCase();
    paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` };
  }
  return { paths };
}

/** The name of a group version in the index and in the path of its document: 'api/v1', 'apis/apps/v1'. */
export function openApiPath({ group, version }: Pick<ResourceType, 'group' | 'version'>): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`;
}
