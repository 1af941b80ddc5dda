import { type ObjectSchema, parseQuantityNanos, type Schema, type ValueRules } from '@ballast/kube';
import { isJsonObject, jsonEquals } from '../object/api-object.ts';
import type { FieldProblem } from '../object/failures.ts';
import { duplicateValue, requiredValue, unsupportedValue } from '../object/field-problems.ts';
import { compilePattern } from './pattern.ts';

/**
 * Checks an object against the schema of its CustomResourceDefinition: types, required fields, value rules, lists that must not repeat
 * themselves. With `old`, parts that did not change are let pass even if they are invalid by now (ratcheting).
 */
export function checkCustomResource(schema: ObjectSchema, object: unknown, old?: unknown): FieldProblem[] {
  const problems: FieldProblem[] = [];
  if (!isJsonObject(object)) return problems;
  for (const [name, property] of Object.entries(schema.properties)) {
    if (name === 'metadata') continue;
    visitProperty(property, object[name], isJsonObject(old) ? old[name] : undefined, name, problems);
  }
  if (schema.rules) checkRules(schema.rules, object, '', problems);
  return problems;
}

function visitProperty(schema: Schema, value: unknown, old: unknown, path: string, problems: FieldProblem[]): void {
  if (value === undefined) {
    if (schema.required) problems.push(requiredValue(path));
    return;
  }
  if (old !== undefined && jsonEquals(value, old)) return;
  visit(schema, value, old, path, problems);
}

function visit(schema: Schema, value: unknown, old: unknown, path: string, problems: FieldProblem[]): void {
  if (value === null && schema.nullable) return;
  if (!hasType(schema, value)) {
    problems.push(typeProblem(path, value, typeName(schema)));
    return;
  }
  if (schema.rules) checkRules(schema.rules, value, path, problems);
  switch (schema.type) {
    case 'object':
      if (!isJsonObject(value)) return;
      for (const [name, property] of Object.entries(schema.properties)) {
        if (schema.embedded && name === 'metadata') continue;
        visitProperty(property, value[name], isJsonObject(old) ? old[name] : undefined, `${path}.${name}`, problems);
      }
      return;
    case 'map':
      if (!isJsonObject(value)) return;
      for (const [key, item] of Object.entries(value)) {
        visitProperty(schema.values, item, isJsonObject(old) ? old[key] : undefined, `${path}.${key}`, problems);
      }
      return;
    case 'list':
      if (!Array.isArray(value)) return;
      for (const [i, item] of value.entries()) visit(schema.items, item, undefined, `${path}[${i}]`, problems);
      checkUnique(schema, value, path, problems);
      return;
    default:
      return;
  }
}

function checkUnique(
  schema: Extract<Schema, { type: 'list' }>,
  items: readonly unknown[],
  path: string,
  problems: FieldProblem[],
): void {
  if (schema.listType === 'atomic') return;
  const seen = new Set<string>();
  for (const [i, item] of items.entries()) {
    const keys = schema.keys ?? [];
    const identity =
      schema.listType === 'set' || !isJsonObject(item) ? item : Object.fromEntries(keys.map((key) => [key, item[key]]));
    const text = JSON.stringify(identity);
    if (seen.has(text)) problems.push(duplicateValue(`${path}[${i}]`, identity));
    seen.add(text);
  }
}

function typeName(schema: Schema): string {
  switch (schema.type) {
    case 'list':
      return 'array';
    case 'map':
      return 'object';
    case 'intOrString':
      return 'integer,string';
    case 'quantity':
    case 'time':
    case 'microTime':
    case 'bytes':
      return 'string';
    default:
      return schema.type;
  }
}

function hasType(schema: Schema, value: unknown): boolean {
  switch (schema.type) {
    case 'object':
    case 'map':
      return isJsonObject(value);
    case 'list':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return typeof value === 'number';
    case 'boolean':
      return typeof value === 'boolean';
    case 'intOrString':
      return typeof value === 'string' || Number.isInteger(value);
    case 'any':
      return true;
    case 'quantity':
      return (typeof value === 'string' || typeof value === 'number') && parseQuantityNanos(value) !== undefined;
    default:
      return typeof value === 'string';
  }
}

function jsonTypeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function typeProblem(field: string, value: unknown, wanted: string): FieldProblem {
  const type = jsonTypeOf(value);
  return {
    reason: 'FieldValueTypeInvalid',
    message: `Invalid value: ${JSON.stringify(type)}: ${field} in body must be of type ${wanted}: ${JSON.stringify(type)}`,
    field,
  };
}

function broken(field: string, value: unknown, why: string): FieldProblem {
  return {
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${JSON.stringify(value)}: ${field} in body ${why}`,
    field,
  };
}

const MAX_DEPTH = 64;

/** The value rules of OpenAPI v3, in upstream's words. */
export function checkRules(
  rules: ValueRules,
  value: unknown,
  field: string,
  problems: FieldProblem[],
  depth = 0,
): void {
  if (depth > MAX_DEPTH) return;
  if (rules.enum && !rules.enum.some((allowed) => jsonEquals(allowed, value))) {
    problems.push(
      unsupportedValue(
        field,
        value,
        rules.enum.map((allowed) => (typeof allowed === 'string' ? allowed : JSON.stringify(allowed))),
      ),
    );
  }
  if (typeof value === 'string') checkText(rules, value, field, problems);
  if (typeof value === 'number') checkNumber(rules, value, field, problems);
  if (Array.isArray(value)) {
    if (rules.minItems !== undefined && value.length < rules.minItems) {
      problems.push(broken(field, value.length, `should have at least ${rules.minItems} items`));
    }
    if (rules.maxItems !== undefined && value.length > rules.maxItems) {
      problems.push({
        reason: 'FieldValueTooMany',
        message: `Too many: ${value.length}: must have at most ${rules.maxItems} items`,
        field,
      });
    }
    if (rules.items)
      for (const [i, item] of value.entries()) checkRules(rules.items, item, `${field}[${i}]`, problems, depth + 1);
  }
  if (isJsonObject(value)) checkFields(rules, value, field, problems, depth);
  for (const rule of rules.allOf ?? []) checkRules(rule, value, field, problems, depth + 1);
  if (rules.anyOf && rules.anyOf.length > 0 && matches(rules.anyOf, value, depth) === 0) {
    problems.push(broken(field, value, 'must validate at least one schema (anyOf)'));
  }
  if (rules.oneOf && rules.oneOf.length > 0 && matches(rules.oneOf, value, depth) !== 1) {
    problems.push(broken(field, value, 'must validate one and only one schema (oneOf)'));
  }
  if (rules.not && matches([rules.not], value, depth) === 1) {
    problems.push(broken(field, value, 'must not validate the schema (not)'));
  }
}

function matches(alternatives: readonly ValueRules[], value: unknown, depth: number): number {
  return alternatives.filter((rules) => {
    const found: FieldProblem[] = [];
    checkRules(rules, value, '', found, depth + 1);
    return found.length === 0;
  }).length;
}

function checkFields(
  rules: ValueRules,
  value: Record<string, unknown>,
  field: string,
  problems: FieldProblem[],
  depth: number,
): void {
  const count = Object.keys(value).length;
  if (rules.minProperties !== undefined && count < rules.minProperties) {
    problems.push(broken(field, count, `should have at least ${rules.minProperties} properties`));
  }
  if (rules.maxProperties !== undefined && count > rules.maxProperties) {
    problems.push({
      reason: 'FieldValueTooMany',
      message: `Too many: ${count}: must have at most ${rules.maxProperties} items`,
      field,
    });
  }
  const at = (name: string) => (field === '' ? name : `${field}.${name}`);
  for (const name of rules.required ?? []) if (value[name] === undefined) problems.push(requiredValue(at(name)));
  for (const [name, nested] of Object.entries(rules.properties ?? {})) {
    if (value[name] !== undefined) checkRules(nested, value[name], at(name), problems, depth + 1);
  }
  if (rules.additionalProperties) {
    for (const [name, item] of Object.entries(value)) {
      if (!rules.properties || !Object.hasOwn(rules.properties, name))
        checkRules(rules.additionalProperties, item, at(name), problems, depth + 1);
    }
  }
}

const FORMATS: Readonly<Record<string, RegExp>> = {
  'date-time': /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/,
  date: /^\d{4}-\d{2}-\d{2}$/,
  duration: /^(-?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h|d|w))+|0)$/,
  uuid: /^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$/,
  byte: /^[A-Za-z0-9+/]*={0,2}$/,
  ipv4: /^(\d{1,3}\.){3}\d{1,3}$/,
  cidr: /^[0-9a-fA-F.:]+\/\d{1,3}$/,
};

function checkText(rules: ValueRules, value: string, field: string, problems: FieldProblem[]): void {
  // Kubernetes counts code points.
  const length = rules.minLength === undefined && rules.maxLength === undefined ? 0 : [...value].length;
  if (rules.minLength !== undefined && length < rules.minLength) {
    problems.push(broken(field, value, `should be at least ${rules.minLength} chars long`));
  }
  if (rules.maxLength !== undefined && length > rules.maxLength) {
    problems.push({
      reason: 'FieldValueTooLong',
      message: `Too long: may not be more than ${rules.maxLength} bytes`,
      field,
    });
  }
  if (rules.pattern !== undefined && compilePattern(rules.pattern)?.test(value) === false) {
    problems.push(broken(field, value, `should match '${rules.pattern}'`));
  }
  const format = rules.format === undefined ? undefined : FORMATS[rules.format];
  if (format && !format.test(value))
    problems.push(broken(field, value, `must be of type ${rules.format}: ${JSON.stringify(value)}`));
}

function checkNumber(rules: ValueRules, value: number, field: string, problems: FieldProblem[]): void {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = rules;
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum)) {
    problems.push(broken(field, value, `should be greater than ${exclusiveMinimum ? '' : 'or equal to '}${minimum}`));
  }
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum)) {
    problems.push(broken(field, value, `should be less than ${exclusiveMaximum ? '' : 'or equal to '}${maximum}`));
  }
  if (multipleOf !== undefined && multipleOf > 0) {
    const quotient = value / multipleOf;
    if (Math.abs(quotient - Math.round(quotient)) > 1e-9)
      problems.push(broken(field, value, `should be a multiple of ${multipleOf}`));
  }
}
