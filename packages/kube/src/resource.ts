import type { KubeObject } from './meta.ts';

/**
 * Which collection of the API an object type lives in. The phantom type parameter ties the descriptor to the TypeScript type of its
 * objects, so that `client.get(pods, ...)` is a Pod.
 */
export interface Resource<T extends KubeObject = KubeObject> {
  /** API group; '' is the core group. */
  readonly group: string;
  readonly version: string;
  /** Plural, lower-case, as in paths: 'endpointslices'. */
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** Never set; carries T. */
  readonly objectType?: T;
}

/** 'v1' or 'group/version', as objects carry it. */
export function apiVersionOf(resource: Pick<Resource, 'group' | 'version'>): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

/** The path of a collection, an object or a subresource on the API server. */
export function resourcePath(
  resource: Pick<Resource, 'group' | 'version' | 'plural'>,
  at: { namespace?: string | undefined; name?: string | undefined; subresource?: string | undefined } = {},
): string {
  const base = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`;
  const namespace = at.namespace ? `/namespaces/${encodeURIComponent(at.namespace)}` : '';
  const name = at.name ? `/${encodeURIComponent(at.name)}` : '';
  const subresource = at.subresource ? `/${at.subresource}` : '';
  return `${base}${namespace}/${resource.plural}${name}${subresource}`;
}
