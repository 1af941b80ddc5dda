import { messageOf } from '@ballast/base';
import type { ObjectSchema, Schema } from '@ballast/kube';
import { BinaryReader, type WireType } from '@bufbuild/protobuf/wire';
import { isJsonObject, type JsonObject } from '../object/api-object.ts';
import { badRequest } from '../object/failures.ts';
import { FIELD_NUMBERS } from './field-numbers.ts';

/** A field of a message: a property of the JSON object, or a message whose fields JSON shows in the same object. */
type WireField =
  | { readonly name: string; readonly schema: Schema; readonly pointer: boolean }
  | { readonly inline: WireFields };
type WireFields = Map<number, WireField>;

const known = new WeakMap<ObjectSchema, WireFields>();

/** What a client sent as protobuf, as the JSON object it would have sent instead. Fields that the schema does not have are dropped. */
export function decodeMessage(schema: ObjectSchema, bytes: Uint8Array): JsonObject {
  try {
    const object: JsonObject = {};
    readFields(new BinaryReader(bytes), fieldsOf(schema), object);
    return object;
  } catch (error) {
    throw badRequest(`the body is not valid protobuf: ${messageOf(error)}`);
  }
}

function fieldsOf(schema: ObjectSchema): WireFields {
  let fields = known.get(schema);
  if (!fields) {
    fields = new Map();
    known.set(schema, fields);
    const name = (schema.name ?? '').replace(/^io\.k8s\.(api\.|apimachinery\.pkg\.apis\.)/, '');
    for (const entry of (FIELD_NUMBERS[name] ?? '').split(' ')) addField(fields, schema, entry);
  }
  return fields;
}

/** One entry of the table: 'name=3', 'name=1.2', either with '*'. */
function addField(fields: WireFields, schema: ObjectSchema, entry: string): void {
  const [, name = '', outer = '', inner, star] = /^(\w+)=(\d+)(?:\.(\d+))?(\*)?$/.exec(entry) ?? [];
  const property = schema.properties[name];
  if (!property) return;
  const field = { name, schema: property, pointer: star !== undefined };
  if (inner === undefined) {
    fields.set(Number(outer), field);
    return;
  }
  const present = fields.get(Number(outer));
  const inline: WireFields = present && 'inline' in present ? present.inline : new Map();
  fields.set(Number(outer), { inline: inline.set(Number(inner), field) });
}

function readFields(reader: BinaryReader, fields: WireFields, into: JsonObject): void {
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const field = fields.get(number);
    if (!field) reader.skip(wireType);
    else if ('inline' in field) readFields(new BinaryReader(reader.bytes()), field.inline, into);
    else readField(reader, field, wireType, into);
  }
}

function readField(
  reader: BinaryReader,
  field: { readonly name: string; readonly schema: Schema; readonly pointer: boolean },
  wireType: WireType,
  into: JsonObject,
): void {
  const { name, schema } = field;
  if (schema.type === 'list') {
    const item = readValue(reader, schema.items, wireType);
    const list = into[name];
    if (Array.isArray(list)) list.push(item);
    else into[name] = [item];
  } else if (schema.type === 'map') {
    const [key, value] = readEntry(new BinaryReader(reader.bytes()), schema.values);
    if (key === '__proto__') throw new Error('"__proto__" is not a key');
    const map = into[name];
    if (isJsonObject(map)) map[key] = value;
    else into[name] = { [key]: value };
  } else {
    const value = readValue(reader, schema, wireType);
    // Go writes every field that is not a pointer; what JSON would leave out as empty is left out here too.
    if (value === undefined || (!field.pointer && isZero(value))) return;
    into[name] = value;
  }
}

function isZero(value: unknown): boolean {
  return value === '' || value === 0 || value === false;
}

function readEntry(reader: BinaryReader, values: Schema): [key: string, value: unknown] {
  let key = '';
  let value: unknown;
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === 1) key = reader.string();
    else if (number === 2)
      value = values.type === 'list' ? readItems(reader.bytes(), values.items) : readValue(reader, values, wireType);
    else reader.skip(wireType);
  }
  return [key, value ?? (values.type === 'string' || values.type === 'bytes' ? '' : {})];
}

/** A list that stands where protobuf allows only a message (ExtraValue: items = 1). */
function readItems(bytes: Uint8Array, items: Schema): unknown[] {
  const reader = new BinaryReader(bytes);
  const list: unknown[] = [];
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (number === 1) list.push(readValue(reader, items, wireType));
    else reader.skip(wireType);
  }
  return list;
}

function readValue(reader: BinaryReader, schema: Schema, wireType: WireType): unknown {
  switch (schema.type) {
    case 'object': {
      const object: JsonObject = {};
      readFields(new BinaryReader(reader.bytes()), fieldsOf(schema), object);
      return object;
    }
    case 'string':
      return reader.string();
    case 'integer':
      return Number(reader.int64());
    case 'boolean':
      return reader.bool();
    case 'number':
      return reader.double();
    case 'bytes':
      return Buffer.from(reader.bytes()).toString('base64');
    case 'quantity':
      return readParts(reader.bytes()).get(1) ?? '';
    case 'intOrString': {
      const parts = readParts(reader.bytes());
      return parts.get(1) === 1 ? (parts.get(3) ?? '') : (parts.get(2) ?? 0);
    }
    case 'time':
    case 'microTime':
      return formatWireTime(readParts(reader.bytes()), schema.type);
    case 'any': {
      const raw = readParts(reader.bytes()).get(1);
      return typeof raw === 'string' && raw !== '' ? JSON.parse(raw) : undefined;
    }
    case 'list':
    case 'map':
      reader.skip(wireType);
      return undefined;
    default:
      return schema satisfies never;
  }
}

/** The fields of a small message of numbers and texts. */
function readParts(bytes: Uint8Array): Map<number, string | number> {
  const reader = new BinaryReader(bytes);
  const parts = new Map<number, string | number>();
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    if (wireType === VARINT) parts.set(number, Number(reader.int64()));
    else if (wireType === LENGTH_DELIMITED) parts.set(number, reader.string());
    else reader.skip(wireType);
  }
  return parts;
}

const VARINT = 0;
const LENGTH_DELIMITED = 2;

/** seconds = 1, nanos = 2; the zero time is an empty message. */
function formatWireTime(parts: Map<number, string | number>, type: 'time' | 'microTime'): string | undefined {
  const seconds = Number(parts.get(1) ?? 0);
  const nanos = Number(parts.get(2) ?? 0);
  if (parts.size === 0 || seconds === 0 || seconds === ZERO_TIME_SECONDS) return undefined;
  const text = new Date(seconds * 1000).toISOString().slice(0, 19);
  return type === 'time' ? `${text}Z` : `${text}.${String(Math.floor(nanos / 1000)).padStart(6, '0')}Z`;
}

/** Go's zero time, the first second of year 1. */
const ZERO_TIME_SECONDS = -62_135_596_800;
