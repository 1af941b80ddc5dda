import type { ObjectSchema, Schema } from '@ballast/kube';
import { isJsonObject, type JsonObject } from '../object/api-object.ts';
import { kindDefaults } from './kind-defaults.ts';

/** Which kind an object is of; the resource definitions of the API server fit. */
export interface KindOf {
  readonly group: string;
  readonly kind: string;
  readonly schema: ObjectSchema;
  /** Anything but undefined: the kind comes from a CustomResourceDefinition. */
  readonly custom?: unknown;
}

/** Fills in what upstream fills in, in place: first what depends on other fields, then the fixed defaults of the schema. */
export function applyDefaults(kind: KindOf, object: JsonObject): void {
  if (kind.custom === undefined) kindDefaults(kind.group, kind.kind)?.(object);
  applySchemaDefaults(kind.schema, object);
}

/** Whether anything at or below a schema has a default, so that the rest need not be walked. */
const hasDefaults = new WeakMap<Schema, boolean>();

function anyDefaults(schema: Schema, above: ReadonlySet<Schema> = new Set()): boolean {
  const known = hasDefaults.get(schema);
  if (known !== undefined) return known;
  if (above.has(schema)) return false;
  const inside = new Set(above).add(schema);
  let found = false;
  if (schema.type === 'object') {
    found = Object.values(schema.properties).some(
      (property) => property.default !== undefined || anyDefaults(property, inside),
    );
  } else if (schema.type === 'map') {
    found = schema.values.default !== undefined || anyDefaults(schema.values, inside);
  } else if (schema.type === 'list') {
    found = anyDefaults(schema.items, inside);
  }
  if (above.size === 0 || found) hasDefaults.set(schema, found);
  return found;
}

/** The fixed defaults only, in place. Defaults of a missing object are not looked at, but a default may itself be an object. */
export function applySchemaDefaults(schema: Schema, value: unknown): void {
  if (!anyDefaults(schema)) return;
  if (schema.type === 'object') {
    if (!isJsonObject(value)) return;
    for (const [name, property] of Object.entries(schema.properties)) {
      const present = value[name];
      if (
        property.default !== undefined &&
        (present === undefined || (present === null && property.nullable !== true))
      ) {
        value[name] = typeof property.default === 'object' ? structuredClone(property.default) : property.default;
      }
      if (value[name] !== undefined) applySchemaDefaults(property, value[name]);
    }
  } else if (schema.type === 'list') {
    if (Array.isArray(value)) for (const item of value) applySchemaDefaults(schema.items, item);
  } else if (schema.type === 'map') {
    if (isJsonObject(value)) for (const item of Object.values(value)) applySchemaDefaults(schema.values, item);
  }
}
