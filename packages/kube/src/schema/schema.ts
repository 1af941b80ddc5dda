/**
 * The schema language of Ballast: one description of a kind, which decoding, defaulting, validation, patching, server-side apply, OpenAPI
 * and TypeScript types all walk. Schemas are plain immutable data; build them with the functions of `build.ts`.
 */

/** Facets any schema can carry. */
export interface Facets {
  readonly description?: string;
  /** The value an absent field gets when the object around it is present. */
  readonly default?: unknown;
  /** The field must be there. */
  readonly required?: boolean;
  /** `null` is a value of its own here (custom resources); everywhere else null means absent. */
  readonly nullable?: boolean;
  /** Value rules of a custom resource's schema. */
  readonly rules?: ValueRules;
}

/** The value validations of OpenAPI v3 as custom resources use them. */
export interface ValueRules {
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: boolean;
  readonly exclusiveMaximum?: boolean;
  readonly multipleOf?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly uniqueItems?: boolean;
  readonly minProperties?: number;
  readonly maxProperties?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, ValueRules>>;
  readonly additionalProperties?: ValueRules;
  readonly items?: ValueRules;
  readonly allOf?: readonly ValueRules[];
  readonly anyOf?: readonly ValueRules[];
  readonly oneOf?: readonly ValueRules[];
  readonly not?: ValueRules;
}

export interface ObjectSchema extends Facets {
  readonly type: 'object';
  /** Name among the OpenAPI definitions, for example 'io.k8s.api.core.v1.Container'; anonymous schemas are written out in place. */
  readonly name?: string;
  readonly properties: Readonly<Record<string, Schema>>;
  /** Fields that no property names are kept. */
  readonly preserveUnknown?: boolean;
  /** Server-side apply sees one value, not fields. */
  readonly atomic?: boolean;
  /** The value is a whole object with apiVersion, kind and metadata. */
  readonly embedded?: boolean;
  /** Strategic merge patch: only the keys that the patch lists survive. */
  readonly patchStrategy?: 'retainKeys' | 'replace';
}

export interface MapSchema extends Facets {
  readonly type: 'map';
  readonly values: Schema;
  readonly atomic?: boolean;
}

export type ListType = 'atomic' | 'set' | 'map';

export interface ListSchema extends Facets {
  readonly type: 'list';
  readonly items: Schema;
  /** How server-side apply merges. */
  readonly listType: ListType;
  /** The fields that identify an item of a 'map' list. */
  readonly keys?: readonly string[];
  /** How strategic merge patch merges: absent means replace. */
  readonly patchStrategy?: 'merge' | 'merge,retainKeys';
  /** The one field that identifies an item in strategic merge patch; absent with 'merge' for lists of plain values. */
  readonly patchMergeKey?: string;
}

export interface StringSchema extends Facets {
  readonly type: 'string';
  /** The values that validation accepts. */
  readonly values?: readonly string[];
}

export interface IntegerSchema extends Facets {
  readonly type: 'integer';
  readonly bits: 32 | 64;
}

/** Types without parameters of their own. 'any' is free-form JSON. Times are RFC 3339 text, bytes are base64 text. */
export interface PlainSchema extends Facets {
  readonly type: 'boolean' | 'number' | 'quantity' | 'intOrString' | 'time' | 'microTime' | 'bytes' | 'any';
}

export type Schema = ObjectSchema | MapSchema | ListSchema | StringSchema | IntegerSchema | PlainSchema;

/** Carries the TypeScript type that a schema describes; never set. */
export interface Typed<T> {
  readonly inferred?: T;
}

/** The TypeScript type that a schema describes. */
export type Infer<S> = S extends Typed<infer T> ? T : never;
