import type { ObjectSchema, Schema } from '@ballast/kube';
import { isJsonObject, type JsonObject } from '../object/api-object.ts';
import { canonicalQuantity } from './canonical-quantity.ts';
import { canonicalTime } from './canonical-time.ts';

/** What decoding found out. The input is changed in place: unknown fields and nulls are gone, quantities and times are canonical. */
export interface Decoded {
  readonly object: JsonObject;
  /** One text for each field that the kind does not have: `unknown field "spec.foo"`. Strict requests are refused with them. */
  readonly unknown: readonly string[];
  /** The value that has the wrong type, in the words of Go's decoder; the request is a 400. */
  readonly typeError: string | undefined;
}

export interface DecodeOptions {
  /** Custom resources: wrong types are left to validation, which answers 422. */
  readonly custom?: boolean;
  /** Name of the kind, for the text of a type error. */
  readonly kind?: string;
}

/** The most unknown fields that are reported; upstream stops at 100 too. */
const MAX_UNKNOWN = 100;

class TypeMismatch extends Error {}

interface Walk {
  readonly custom: boolean;
  readonly unknown: string[];
}

/** Brings a parsed JSON object into the form of its schema. */
export function decode(schema: ObjectSchema, input: JsonObject, options: DecodeOptions = {}): Decoded {
  const walk: Walk = { custom: options.custom ?? false, unknown: [] };
  try {
    decodeObject(schema, input, '', walk);
  } catch (error) {
    if (!(error instanceof TypeMismatch)) throw error;
    return { object: input, unknown: walk.unknown, typeError: error.message };
  }
  return { object: input, unknown: walk.unknown, typeError: undefined };
}

/** The text of the 400 that refuses a strict request. */
export function strictDecodingMessage(problems: readonly string[]): string {
  return `strict decoding error: ${problems.join(', ')}`;
}

/** `Pod in version "v1" cannot be handled as a Pod: ...`: how upstream wraps decoding failures. */
export function cannotBeHandled(kind: string, version: string, why: string): string {
  return `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: ${why}`;
}

function decodeObject(schema: ObjectSchema, object: JsonObject, path: string, walk: Walk): void {
  const { properties } = schema;
  for (const name of Object.keys(object)) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (property === undefined) {
      if (schema.embedded && (name === 'apiVersion' || name === 'kind' || name === 'metadata')) continue;
      if (schema.preserveUnknown) continue;
      const at = path === '' ? name : `${path}.${name}`;
      if (walk.unknown.length < MAX_UNKNOWN) walk.unknown.push(`unknown field ${JSON.stringify(at)}`);
      delete object[name];
      continue;
    }
    const value = object[name];
    if (value === null || value === undefined) {
      if (property.nullable !== true || value === undefined) {
        if (walk.custom && value === null && property.default === undefined && property.type !== 'any') continue;
        delete object[name];
      }
      continue;
    }
    const at = path === '' ? name : `${path}.${name}`;
    const decoded = decodeValue(property, value, at, schema, walk);
    if (decoded !== value) object[name] = decoded;
  }
}

function decodeValue(schema: Schema, value: unknown, path: string, parent: Schema, walk: Walk): unknown {
  switch (schema.type) {
    case 'object':
      if (isJsonObject(value)) decodeObject(schema, value, path, walk);
      else mismatch(value, schema, path, parent, walk);
      return value;
    case 'map':
      if (!isJsonObject(value)) return mismatch(value, schema, path, parent, walk);
      for (const key of Object.keys(value)) {
        const item = value[key];
        if (item === null) {
          if (!walk.custom) value[key] = zeroOf(schema.values);
          continue;
        }
        const decoded = decodeValue(schema.values, item, walk.custom ? `${path}.${key}` : path, parent, walk);
        if (decoded !== item) value[key] = decoded;
      }
      return value;
    case 'list':
      if (!Array.isArray(value)) return mismatch(value, schema, path, parent, walk);
      for (let i = 0; i < value.length; i++) {
        const item: unknown = value[i];
        if (item === null) {
          if (!walk.custom) value[i] = zeroOf(schema.items);
          continue;
        }
        const decoded = decodeValue(schema.items, item, `${path}[${i}]`, parent, walk);
        if (decoded !== item) value[i] = decoded;
      }
      return value;
    case 'any':
      return value;
    case 'string':
    case 'bytes':
      return typeof value === 'string' ? value : mismatch(value, schema, path, parent, walk);
    case 'boolean':
      return typeof value === 'boolean' ? value : mismatch(value, schema, path, parent, walk);
    case 'integer':
      if (typeof value !== 'number' || !Number.isInteger(value)) return mismatch(value, schema, path, parent, walk);
      if (schema.bits === 32 && (value > 2147483647 || value < -2147483648)) {
        return mismatch(value, schema, path, parent, walk);
      }
      return value;
    case 'number':
      return typeof value === 'number' ? value : mismatch(value, schema, path, parent, walk);
    case 'intOrString':
      return typeof value === 'string' || (typeof value === 'number' && Number.isInteger(value))
        ? value
        : mismatch(value, schema, path, parent, walk);
    case 'quantity':
      return decodeQuantity(value, walk);
    case 'time':
    case 'microTime':
      return decodeTime(schema.type, value, path, parent, walk);
    default:
      return schema satisfies never;
  }
}

function decodeQuantity(value: unknown, walk: Walk): unknown {
  if (walk.custom) return value;
  const text = typeof value === 'number' ? String(value) : value;
  const canonical = typeof text === 'string' ? canonicalQuantity(text) : undefined;
  if (canonical !== undefined) return canonical;
  throw new TypeMismatch("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
}

function decodeTime(type: 'time' | 'microTime', value: unknown, path: string, parent: Schema, walk: Walk): unknown {
  if (walk.custom) return value;
  if (typeof value !== 'string') return mismatch(value, { type }, path, parent, walk);
  const canonical = canonicalTime(value, type);
  if (canonical !== undefined) return canonical;
  throw new TypeMismatch(
    `parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(value)} as "2006"`,
  );
}

/** What null means inside a list or a map: the empty value, as in Go. */
function zeroOf(schema: Schema): unknown {
  switch (schema.type) {
    case 'object':
    case 'map':
      return {};
    case 'list':
      return [];
    case 'integer':
    case 'number':
    case 'intOrString':
      return 0;
    case 'boolean':
      return false;
    case 'any':
    case 'time':
    case 'microTime':
      return null;
    default:
      return '';
  }
}

const GO_TYPES: Readonly<Record<Schema['type'], string>> = {
  object: 'struct',
  map: 'map',
  list: 'slice',
  string: 'string',
  bytes: 'uint8',
  boolean: 'bool',
  integer: 'int64',
  number: 'float64',
  intOrString: 'intstr.IntOrString',
  quantity: 'resource.Quantity',
  time: 'string',
  microTime: 'string',
  any: 'interface {}',
};

function mismatch(value: unknown, schema: Schema, path: string, parent: Schema, walk: Walk): unknown {
  if (walk.custom) return value;
  const wanted = goType(schema);
  throw new TypeMismatch(
    `json: cannot unmarshal ${jsonTypeOf(value)} into Go struct field ${shortName(parent)}.${path} of type ${wanted}`,
  );
}

function goType(schema: Schema): string {
  if (schema.type === 'integer') return schema.bits === 32 ? 'int32' : 'int64';
  if (schema.type === 'list') return `[]${goType(schema.items)}`;
  if (schema.type === 'map') return `map[string]${goType(schema.values)}`;
  if (schema.type === 'object' && schema.name) return goName(schema.name);
  return GO_TYPES[schema.type];
}

/** 'v1.PodSpec' of 'io.k8s.api.core.v1.PodSpec'. */
function goName(name: string): string {
  return name.split('.').slice(-2).join('.');
}

function shortName(schema: Schema): string {
  return schema.type === 'object' && schema.name ? (schema.name.split('.').at(-1) ?? '') : '';
}

function jsonTypeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'number' : `number ${value}`;
  if (typeof value === 'boolean') return 'bool';
  return typeof value;
}
