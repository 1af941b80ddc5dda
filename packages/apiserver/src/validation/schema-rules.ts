import type { ObjectSchema, Schema } from '@ballast/kube';
import { isJsonObject } from '../object/api-object.ts';
import type { FieldProblem } from '../object/failures.ts';
import { requiredValue, unsupportedValue } from '../object/field-problems.ts';

/** Required lists that may be empty or missing after all, as in upstream. */
const MAY_BE_EMPTY = new Set(['endpoints', 'limits', 'verbs', 'requestMappings', 'rules']);
/** Required texts that may be empty. */
const MAY_BE_BLANK = new Set(['value', 'image', 'imageID', 'type']);
/** Parts of an object that the server itself or a controller writes. */
const UNCHECKED = new Set(['metadata', 'status', 'apiVersion', 'kind']);
/** Required objects that upstream holds by pointer: a missing one is reported as such. All others count as empty. */
const REPORTED_WHOLE = new Set(['LabelSelector']);

/**
 * What the schema alone can tell: required texts, lists and selectors that are missing, and texts that are none of the allowed values.
 * Status and metadata are left out.
 */
export function checkSchemaRules(schema: ObjectSchema, object: Record<string, unknown>): FieldProblem[] {
  const problems: FieldProblem[] = [];
  for (const [name, property] of Object.entries(schema.properties)) {
    if (!UNCHECKED.has(name)) checkProperty(property, object[name], name, name, problems);
  }
  return problems;
}

function checkProperty(schema: Schema, value: unknown, name: string, path: string, problems: FieldProblem[]): void {
  if (value === undefined || value === null) {
    if (schema.required !== true) return;
    switch (schema.type) {
      case 'string':
        if (!MAY_BE_BLANK.has(name)) problems.push(requiredValue(path));
        else if (schema.values) problems.push(unsupportedValue(path, '', schema.values));
        return;
      case 'list':
        if (!MAY_BE_EMPTY.has(name)) problems.push(requiredValue(path));
        return;
      case 'object':
        if (REPORTED_WHOLE.has(schema.name?.split('.').at(-1) ?? '')) problems.push(requiredValue(path));
        else checkObject(schema, {}, path, problems);
        return;
      default:
        return;
    }
  }
  checkValue(schema, value, name, path, problems);
}

function checkValue(schema: Schema, value: unknown, name: string, path: string, problems: FieldProblem[]): void {
  switch (schema.type) {
    case 'string':
      if (value === '' && schema.required && !MAY_BE_BLANK.has(name)) problems.push(requiredValue(path));
      else if (schema.values && typeof value === 'string' && !schema.values.includes(value)) {
        if (value === '' && schema.required !== true) return;
        problems.push(unsupportedValue(path, value, schema.values));
      }
      return;
    case 'object':
      if (isJsonObject(value)) checkObject(schema, value, path, problems);
      return;
    case 'list':
      if (!Array.isArray(value)) return;
      if (value.length === 0 && schema.required && !MAY_BE_EMPTY.has(name)) problems.push(requiredValue(path));
      if (isPlain(schema.items)) return;
      for (let i = 0; i < value.length; i++) checkValue(schema.items, value[i], name, `${path}[${i}]`, problems);
      return;
    case 'map':
      if (isPlain(schema.values) || !isJsonObject(value)) return;
      for (const [key, item] of Object.entries(value))
        checkValue(schema.values, item, name, `${path}[${key}]`, problems);
      return;
    default:
      return;
  }
}

function isPlain(schema: Schema): boolean {
  if (schema.type === 'string') return schema.values === undefined;
  return schema.type !== 'object' && schema.type !== 'list' && schema.type !== 'map';
}

const requiredNames = new WeakMap<ObjectSchema, readonly string[]>();

function requiredOf(schema: ObjectSchema): readonly string[] {
  let names = requiredNames.get(schema);
  if (!names) {
    names = Object.keys(schema.properties).filter((name) => schema.properties[name]?.required);
    requiredNames.set(schema, names);
  }
  return names;
}

function checkObject(
  schema: ObjectSchema,
  object: Record<string, unknown>,
  path: string,
  problems: FieldProblem[],
): void {
  for (const name of requiredOf(schema)) {
    const property = schema.properties[name];
    if (object[name] === undefined && property) checkProperty(property, undefined, name, `${path}.${name}`, problems);
  }
  for (const name of Object.keys(object)) {
    const property = schema.properties[name];
    const value = object[name];
    // The metadata of templates has its own rules; claims inside a StatefulSet have a status.
    if (!property || value === undefined || name === 'metadata' || (name === 'status' && property.type === 'object'))
      continue;
    if (typeof value === 'object' || property.type === 'string') {
      checkProperty(property, value, name, `${path}.${name}`, problems);
    }
  }
}
