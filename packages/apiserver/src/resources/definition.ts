import type { ObjectSchema } from '@ballast/kube';
import type { FieldReaders } from '../cache/cached-object.ts';
import type { ApiObject, JsonObject } from '../object/api-object.ts';
import type { FieldProblem } from '../object/failures.ts';
import type { WriteContext } from '../operations/write-context.ts';

export const ALL_VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'] as const;
export type Verb = (typeof ALL_VERBS)[number];

/** Where the scale subresource finds its numbers, as field paths. */
export interface ScaleDefinition {
  readonly specReplicas: readonly string[];
  readonly statusReplicas: readonly string[];
  /** A LabelSelector object, or (for custom resources) a selector in text form. */
  readonly selector: readonly string[];
}

/** What is special about writing one kind. Each hook may change `object`; thrown ApiErrors are the answer. */
export interface WriteHooks {
  /** After defaulting, before admission: server-set fields. */
  readonly prepareForCreate?: (object: ApiObject, context: WriteContext) => void;
  readonly prepareForUpdate?: (object: ApiObject, old: ApiObject, context: WriteContext) => void;
  /** After admission. Everything that is wrong, or an empty list. */
  readonly validate?: (object: ApiObject, old: ApiObject | undefined, context: WriteContext) => FieldProblem[];
  /**
   * Last, just before the store write: takes numbers from pools. What it returns is told how the write ended; a dry run must not take
   * anything.
   */
  readonly allocate?: (object: ApiObject, old: ApiObject | undefined, context: WriteContext) => Allocation | undefined;
  /** After the object has left the store. */
  readonly afterDelete?: (object: ApiObject, context: WriteContext) => void;
}

/** Numbers taken from a pool for one write. */
export interface Allocation {
  /** The write is durable: give back what the old object held and the new one does not. */
  commit(): void;
  /** The write failed: give back what was newly taken. */
  rollBack(): void;
}

/** One resource of the API: everything that routes, discovery and operations need to know about it. */
export interface ResourceDefinition {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly listKind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly Verb[];
  /** Prefix of its objects in the store. Two definitions with the same one are two views of the same objects. */
  readonly storageKey: string;
  /** The apiVersion objects are stored with. */
  readonly storageVersion: string;
  readonly schema: ObjectSchema | undefined;
  readonly selectableFields: FieldReaders;
  /** `status` is written through its own subresource only. */
  readonly hasStatus: boolean;
  /** metadata.generation counts changes outside metadata and status. */
  readonly hasGeneration: boolean;
  readonly scale: ScaleDefinition | undefined;
  /** Further subresources that discovery shows, with kind and verbs. */
  readonly subresources: readonly SubresourceDefinition[];
  readonly hooks: WriteHooks;
  /** A PUT to a name that does not exist creates. */
  readonly createOnUpdate: boolean;
  /** An update without resourceVersion is allowed. */
  readonly unconditionalUpdate: boolean;
  /** The answer to a deletion is the object, not a Status. */
  readonly returnsDeleted: boolean;
  readonly defaultPropagation: 'Background' | 'Orphan';
  /** Turns the stored form into this view and back; undefined when they are the same but for apiVersion. */
  readonly view: ResourceView | undefined;
  readonly custom: CustomResourceParts | undefined;
}

export interface ResourceView {
  toView(stored: ApiObject): ApiObject;
  toStored(view: ApiObject): ApiObject;
}

/** What a CustomResourceDefinition adds to a resource. Its presence also means: no strategic merge patch (415). */
export interface CustomResourceParts {
  /** The openAPIV3Schema as the user wrote it, for publishing. */
  readonly openApiSchema: JsonObject | undefined;
  readonly printerColumns: readonly JsonObject[];
}

export interface SubresourceDefinition {
  readonly name: string;
  readonly kind: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly string[];
}

type Given = Pick<ResourceDefinition, 'group' | 'version' | 'plural' | 'kind' | 'namespaced'>;

/** A definition with the usual values for what is not given. */
export function defineResource(given: Given & Partial<ResourceDefinition>): ResourceDefinition {
  return {
    singular: given.kind.toLowerCase(),
    listKind: `${given.kind}List`,
    shortNames: [],
    categories: [],
    verbs: ALL_VERBS,
    storageKey: given.group === '' ? given.plural : `${given.plural}.${given.group}`,
    storageVersion: given.group === '' ? given.version : `${given.group}/${given.version}`,
    schema: undefined,
    selectableFields: {},
    hasStatus: false,
    hasGeneration: given.hasStatus ?? false,
    scale: undefined,
    subresources: [],
    hooks: {},
    createOnUpdate: false,
    unconditionalUpdate: true,
    returnsDeleted: false,
    defaultPropagation: 'Background',
    view: undefined,
    custom: undefined,
    ...given,
  };
}

export function apiVersionOfResource(resource: Pick<ResourceDefinition, 'group' | 'version'>): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}
