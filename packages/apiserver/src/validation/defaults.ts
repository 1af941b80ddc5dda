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

/** A field that has a default, or has defaults somewhere below it. */
interface Site {
  readonly name: string;
  readonly schema: Schema;
  readonly below: boolean;
}

/** Made on first use: the same few schemas are walked for every write, and most of their fields have no defaults. */
const sites = new WeakMap<Schema, readonly Site[]>();

function sitesOf(schema: ObjectSchema): readonly Site[] {
  const known = sites.get(schema);
  if (known) return known;
  const found = Object.entries(schema.properties)
    .map(([name, property]) => ({ name, schema: property, below: defaultsBelow(property, new Set()) }))
    .filter((site) => site.below || site.schema.default !== undefined);
  sites.set(schema, found);
  return found;
}

/** Schemas may refer to themselves: `above` are those that are being looked at. */
function defaultsBelow(schema: Schema, above: Set<Schema>): boolean {
  if (above.has(schema)) return false;
  above.add(schema);
  switch (schema.type) {
    case 'object':
      return Object.values(schema.properties).some(
        (property) => property.default !== undefined || defaultsBelow(property, above),
      );
    case 'map':
      return schema.values.default !== undefined || defaultsBelow(schema.values, above);
    case 'list':
      return defaultsBelow(schema.items, above);
    default:
      return false;
  }
}

/** The fixed defaults only, in place. A missing object stays missing, unless it has a default itself. */
export function applySchemaDefaults(schema: Schema, value: unknown): void {
  switch (schema.type) {
    case 'object':
      if (!isJsonObject(value)) return;
      for (const site of sitesOf(schema)) {
        const { default: fallback, nullable } = site.schema;
        const present = value[site.name];
        if (fallback !== undefined && (present === undefined || (present === null && nullable !== true))) {
          value[site.name] = typeof fallback === 'object' ? structuredClone(fallback) : fallback;
        }
        if (site.below && value[site.name] !== undefined) applySchemaDefaults(site.schema, value[site.name]);
      }
      return;
    case 'list':
      if (Array.isArray(value)) for (const item of value) applySchemaDefaults(schema.items, item);
      return;
    case 'map':
      if (isJsonObject(value)) for (const item of Object.values(value)) applySchemaDefaults(schema.values, item);
      return;
    default:
      return;
  }
}
