import type { KubeObject } from '../meta.ts';
import type { ObjectSchema, Typed } from '../schema/index.ts';
import { scaleSchema } from './autoscaling/scale.ts';
import type { ResourceType, Subresource } from './resource-type.ts';

export const ALL_VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
export const READ_WRITE = ['get', 'patch', 'update'];

/** The status is written apart. */
export const STATUS: Subresource = { name: 'status', verbs: READ_WRITE };
/** The size is written apart. */
export const SCALE: Subresource = {
  name: 'scale',
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  verbs: READ_WRITE,
  schema: scaleSchema,
};
export const PROXY_VERBS = ['create', 'delete', 'get', 'patch', 'update'];

/** A subresource that is a connection, whose `kind` carries the options. */
export function connect(name: string, kind: string, verbs: readonly string[] = ['create', 'get']): Subresource {
  return { name, kind, verbs };
}

interface Description<T> {
  readonly plural: string;
  readonly kind: string;
  readonly schema: ObjectSchema & Typed<T>;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly Subresource[];
  readonly verbs?: readonly string[];
  readonly clusterScoped?: boolean;
}

/** Makes the resources of one group version. */
export function group(name: string, version: string) {
  return <T extends KubeObject>(description: Description<T>): ResourceType<T> => ({
    group: name,
    version,
    plural: description.plural,
    singular: description.kind.toLowerCase(),
    kind: description.kind,
    shortNames: description.shortNames ?? [],
    categories: description.categories ?? [],
    namespaced: description.clusterScoped !== true,
    verbs: description.verbs ?? ALL_VERBS,
    subresources: description.subresources ?? [],
    schema: description.schema,
  });
}
