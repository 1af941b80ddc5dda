import { apiVersionOf, type ResourceType } from '@ballast/kube';
import type { FieldReaders } from '../cache/cached-object.ts';
import type { ApiObject, JsonObject } from '../object/api-object.ts';
import type { FieldProblem } from '../object/failures.ts';
import type { WriteContext } from '../operations/write-context.ts';

/** The verbs that stored objects answer to. */
export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch';

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
export interface ResourceDefinition extends ResourceType {
  readonly listKind: string;
  /** Prefix of its objects in the store. Two definitions with the same one are two views of the same objects. */
  readonly storageKey: string;
  /** The apiVersion objects are stored with. */
  readonly storageVersion: string;
  readonly selectableFields: FieldReaders;
  /** `status` is written through its own subresource only. */
  readonly hasStatus: boolean;
  /** metadata.generation counts changes outside metadata and status. */
  readonly hasGeneration: boolean;
  readonly scale: ScaleDefinition | undefined;
  readonly hooks: WriteHooks;
  /** A PUT to a name that does not exist creates. */
  readonly createOnUpdate: boolean;
  /** An update without resourceVersion is allowed. */
  readonly unconditionalUpdate: boolean;
  /** The answer to a deletion is the object, not a Status. */
  readonly returnsDeleted: boolean;
  readonly defaultPropagation: 'Background' | 'Orphan';
  /** Put on an object when its deletion begins; whoever removes it has cleaned up behind the object. */
  readonly deletionFinalizer: string | undefined;
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

/** What makes a resource special; everything has a usual value. */
export type ResourceSpecifics = Partial<Omit<ResourceDefinition, keyof ResourceType>>;

/** The definition of a type with the usual values for what `specifics` does not say. */
export function defineResource(type: ResourceType, specifics: ResourceSpecifics = {}): ResourceDefinition {
  const hasStatus = type.subresources.some(({ name }) => name === 'status');
  return {
    ...type,
    listKind: `${type.kind}List`,
    storageKey: type.group === '' ? type.plural : `${type.plural}.${type.group}`,
    storageVersion: apiVersionOf(type),
    selectableFields: {},
    hasStatus,
    hasGeneration: hasStatus,
    scale: undefined,
    hooks: {},
    createOnUpdate: false,
    unconditionalUpdate: true,
    returnsDeleted: false,
    defaultPropagation: 'Background',
    deletionFinalizer: undefined,
    view: undefined,
    custom: undefined,
    ...specifics,
  };
}
