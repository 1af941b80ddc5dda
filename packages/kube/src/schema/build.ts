import type { KubeObject, ObjectMeta } from '../meta.ts';
import type {
  IntegerSchema,
  ListSchema,
  MapSchema,
  ObjectSchema,
  PlainSchema,
  Schema,
  StringSchema,
  Typed,
} from './schema.ts';

/** A quantity is text ('100m', '2Gi') or a plain number. */
export type Quantity = string;
export type IntOrString = number | string;

type Properties = Readonly<Record<string, Schema>>;
type RequiredKeys<P> = { [K in keyof P]: P[K] extends { readonly required: true } ? K : never }[keyof P];
type ValueOf<S> = S extends Typed<infer T> ? T : never;
type Flat<T> = { [K in keyof T]: T[K] };
type ObjectOf<P> = Flat<
  { -readonly [K in RequiredKeys<P>]: ValueOf<P[K]> } & {
    -readonly [K in Exclude<keyof P, RequiredKeys<P>>]?: ValueOf<P[K]>;
  }
>;

function described<S extends Schema>(schema: S, description: string | undefined): S {
  return description === undefined ? schema : { ...schema, description };
}

export function string(description?: string): StringSchema & Typed<string> {
  return described({ type: 'string' }, description);
}

/** A string of which validation accepts only `values`; the TypeScript type is the union of them. */
export function oneOf<const V extends readonly string[]>(
  values: V,
  description?: string,
): StringSchema & Typed<V[number]> {
  return described({ type: 'string', values }, description);
}

export function int32(description?: string): IntegerSchema & Typed<number> {
  return described({ type: 'integer', bits: 32 }, description);
}

export function int64(description?: string): IntegerSchema & Typed<number> {
  return described({ type: 'integer', bits: 64 }, description);
}

function plain<T>(type: PlainSchema['type']): (description?: string) => PlainSchema & Typed<T> {
  return (description) => described({ type }, description);
}

export const boolean = plain<boolean>('boolean');
export const number = plain<number>('number');
export const quantity = plain<Quantity>('quantity');
export const intOrString = plain<IntOrString>('intOrString');
/** RFC 3339 in whole seconds. */
export const time = plain<string>('time');
/** RFC 3339 in microseconds. */
export const microTime = plain<string>('microTime');
/** Base64 text. */
export const bytes = plain<string>('bytes');
/** Any JSON value. */
export const any = plain<unknown>('any');
/** Any JSON object. */
export const anyObject = plain<Record<string, unknown>>('any');

/** An object with named fields; fields are optional unless wrapped in `required`. `name` is its OpenAPI definition name. */
export function object<P extends Properties>(
  name: string,
  description: string,
  properties: P,
): ObjectSchema & Typed<ObjectOf<P>> {
  return { type: 'object', name, description, properties };
}

/** An object that refers to itself: `properties` is asked for on first use. */
export function recursiveObject<T>(
  name: string,
  description: string,
  properties: () => Properties,
): ObjectSchema & Typed<T> {
  let known: Properties | undefined;
  return {
    type: 'object',
    name,
    description,
    get properties() {
      known ??= properties();
      return known;
    },
  };
}

/** The object is one value to server-side apply. */
export function atomic<S extends ObjectSchema | MapSchema>(schema: S): S {
  return { ...schema, atomic: true };
}

/** Strategic merge patch keeps only the keys that a patch's $retainKeys lists. */
export function retainKeys<S extends ObjectSchema>(schema: S): S {
  return { ...schema, patchStrategy: 'retainKeys' };
}

/** Strategic merge patch replaces the whole object. */
export function replaced<S extends ObjectSchema>(schema: S): S {
  return { ...schema, patchStrategy: 'replace' };
}

export function map<S extends Schema>(values: S, description?: string): MapSchema & Typed<Record<string, ValueOf<S>>> {
  return described({ type: 'map', values }, description);
}

/** A list that is written as a whole. */
export function list<S extends Schema>(items: S, description?: string): ListSchema & Typed<ValueOf<S>[]> {
  return described({ type: 'list', items, listType: 'atomic' }, description);
}

/** A list of distinct plain values, merged by server-side apply and (unless `patch` is 'replace') by strategic merge patch. */
export function setOf<S extends Schema>(
  items: S,
  description?: string,
  patch: 'merge' | 'replace' = 'replace',
): ListSchema & Typed<ValueOf<S>[]> {
  return described(
    { type: 'list', items, listType: 'set', ...(patch === 'merge' ? { patchStrategy: 'merge' as const } : {}) },
    description,
  );
}

export interface MapListOptions {
  /** Strategic merge key when it differs from the one key, or when there are several. Undefined takes the first key. */
  readonly mergeKey?: string;
  /** 'replace' has no strategic merge, 'retainKeys' adds retainKeys to it. */
  readonly patch?: 'merge' | 'retainKeys' | 'replace';
}

/** A list of objects identified by `keys`. */
export function mapList<S extends Schema>(
  keys: string | readonly string[],
  items: S,
  description?: string,
  options: MapListOptions = {},
): ListSchema & Typed<ValueOf<S>[]> {
  const allKeys = typeof keys === 'string' ? [keys] : keys;
  const { patch = 'merge', mergeKey = allKeys[0] } = options;
  const strategic =
    patch === 'replace' || mergeKey === undefined
      ? {}
      : {
          patchStrategy: patch === 'merge' ? ('merge' as const) : ('merge,retainKeys' as const),
          patchMergeKey: mergeKey,
        };
  return described({ type: 'list', items, listType: 'map', keys: allKeys, ...strategic }, description);
}

/** A list that is atomic to server-side apply but merges by `mergeKey` in strategic merge patch. */
export function patchMergeList<S extends Schema>(
  mergeKey: string | undefined,
  items: S,
  description?: string,
): ListSchema & Typed<ValueOf<S>[]> {
  return described(
    {
      type: 'list',
      items,
      listType: 'atomic',
      patchStrategy: 'merge',
      ...(mergeKey === undefined ? {} : { patchMergeKey: mergeKey }),
    },
    description,
  );
}

/** The field must be present. */
export function required<S extends Schema>(schema: S): S & { readonly required: true } {
  return { ...schema, required: true };
}

/** The field is set to `value` when it is absent. */
export function withDefault<S extends Schema>(schema: S, value: ValueOf<S>): S {
  return { ...schema, default: value };
}

/** The same type with a description for this field. */
export function about<S extends Schema>(schema: S, description: string): S {
  return { ...schema, description };
}

/** Names a type for a schema whose own inference would say less. */
export function typed<T>(schema: Schema): Schema & Typed<T> {
  return schema;
}

const ownerReference = atomic(
  object('io.k8s.apimachinery.pkg.apis.meta.v1.OwnerReference', 'Names an object that owns this one.', {
    apiVersion: required(string('API version of the owner.')),
    kind: required(string('Kind of the owner.')),
    name: required(string('Name of the owner.')),
    uid: required(string('UID of the owner.')),
    controller: boolean('The owner is the managing controller.'),
    blockOwnerDeletion: boolean('Foreground deletion of the owner waits for this object.'),
  }),
);

const managedFieldsEntry = object(
  'io.k8s.apimachinery.pkg.apis.meta.v1.ManagedFieldsEntry',
  'The fields one manager owns through one kind of operation.',
  {
    manager: string('Who made the change.'),
    operation: string('Apply or Update.'),
    apiVersion: string('The version the field set is written in.'),
    time: time('When the set last changed.'),
    fieldsType: string('Always FieldsV1.'),
    fieldsV1: anyObject('The field set.'),
    subresource: string('The subresource that was written through.'),
  },
);

const objectMetaObject = object('io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta', 'What every stored object has.', {
  name: string('Unique within the namespace and kind; cannot change.'),
  generateName: string('Prefix of a name that the server completes.'),
  namespace: string('The space the name is unique in.'),
  selfLink: string('Not used any more.'),
  uid: string('Unique in time and space, set by the server.'),
  resourceVersion: string('Opaque version for concurrency control and watches.'),
  generation: int64('Counts changes of the desired state.'),
  creationTimestamp: time('When the server created the object.'),
  deletionTimestamp: time('When the object goes away at the latest; set by a delete request.'),
  deletionGracePeriodSeconds: int64('Seconds between the delete request and forced removal.'),
  labels: map(string(), 'Keys and values for selecting.'),
  annotations: map(string(), 'Keys and values that selectors do not see.'),
  ownerReferences: mapList(
    'uid',
    ownerReference,
    'The objects this one depends on; it goes when all of them are gone.',
  ),
  finalizers: setOf(string(), 'Must be empty before the object disappears.', 'merge'),
  managedFields: list(managedFieldsEntry, 'Who owns which field.'),
});

/** meta/v1 ObjectMeta. */
export const objectMeta: Schema & Typed<ObjectMeta> = typed<ObjectMeta>(objectMetaObject);

/** ObjectMeta inside a template, where nothing is required. */
export const templateMeta: Schema & Typed<Partial<ObjectMeta>> = typed<Partial<ObjectMeta>>(objectMetaObject);

/** A top-level kind: apiVersion, kind and metadata are added. */
export function kind<P extends Properties>(
  name: string,
  description: string,
  properties: P,
): ObjectSchema & Typed<KubeObject & ObjectOf<P>> {
  return {
    type: 'object',
    name,
    description,
    properties: {
      apiVersion: string('Version of the schema this object is written in.'),
      kind: string('The type of the object.'),
      metadata: about(objectMeta, 'Standard object metadata.'),
      ...properties,
    },
  };
}
