import type { KubeObject } from '../meta.ts';
import type { Resource } from '../resource.ts';
import type { ObjectSchema, Schema } from '../schema/index.ts';

/** A path below an object, such as 'status' or 'scale'. */
export interface Subresource {
  readonly name: string;
  /** Kind of the bodies; the parent's when absent. */
  readonly kind?: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
  readonly schema?: Schema;
}

/** Everything the API server has to know about one resource. */
export interface ResourceType<T extends KubeObject = KubeObject> extends Resource<T> {
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly Subresource[];
  readonly schema: ObjectSchema;
}
