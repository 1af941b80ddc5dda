import type { JSONSchemaProps } from '@ballast/kube';
import type { FieldProblem } from '../object/failures.ts';
import { forbiddenValue, invalidValue, requiredValue, unsupportedValue } from '../object/field-problems.ts';
import { compilePattern } from '../validation/pattern.ts';

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
/** Parts of JSON schema that structural schemas exclude (KEP-1693 and the CRD v1 rules). */
const FORBIDDEN = [
  '$ref',
  'definitions',
  'dependencies',
  'patternProperties',
  'additionalItems',
  'id',
  '$schema',
] as const;
/** Deepest nesting that is compiled. */
const MAX_DEPTH = 100;

/** Why a schema is not structural: each place that lacks a type, or uses what custom resources may not use. */
export function structuralProblems(props: JSONSchemaProps, path: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  visit(props, path, { root: true, depth: 0 }, problems);
  return problems;
}

interface Place {
  readonly root?: boolean;
  readonly depth: number;
}

function visit(props: JSONSchemaProps, path: string, place: Place, problems: FieldProblem[]): void {
  if (place.depth > MAX_DEPTH) {
    problems.push(forbiddenValue(path, `schemas must not nest deeper than ${MAX_DEPTH} levels`));
    return;
  }
  checkType(props, path, place, problems);
  for (const name of FORBIDDEN)
    if (props[name] !== undefined) problems.push(forbiddenValue(`${path}.${name}`, `${name} is not supported`));
  if (props.uniqueItems)
    problems.push(
      forbiddenValue(
        `${path}.uniqueItems`,
        'uniqueItems cannot be set to true since the runtime complexity becomes quadratic',
      ),
    );
  if (props.properties && props.additionalProperties !== undefined) {
    problems.push(
      forbiddenValue(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'),
    );
  }
  if (props.pattern !== undefined && compilePattern(props.pattern) === undefined) {
    problems.push(invalidValue(`${path}.pattern`, props.pattern, "must be a valid regular expression, but isn't"));
  }
  checkList(props, path, problems);
  for (const junctor of ['allOf', 'anyOf', 'oneOf'] as const) {
    for (const [i, nested] of (props[junctor] ?? []).entries())
      checkNested(nested, `${path}.${junctor}[${i}]`, place.depth + 1, problems);
  }
  if (props.not) checkNested(props.not, `${path}.not`, place.depth + 1, problems);
  const depth = place.depth + 1;
  for (const [name, child] of Object.entries(props.properties ?? {})) {
    // The server knows what metadata looks like.
    if (place.root && name === 'metadata') continue;
    visit(child, `${path}.properties[${name}]`, { depth }, problems);
  }
  if (typeof props.additionalProperties === 'object')
    visit(props.additionalProperties, `${path}.additionalProperties`, { depth }, problems);
  if (props.items) visit(props.items, `${path}.items`, { depth }, problems);
}

function checkType(props: JSONSchemaProps, path: string, place: Place, problems: FieldProblem[]): void {
  const free = props['x-kubernetes-int-or-string'] || props['x-kubernetes-preserve-unknown-fields'];
  if (!props.type) {
    if (place.root) problems.push(requiredValue(`${path}.type`, 'must not be empty at the root'));
    else if (!free) problems.push(requiredValue(`${path}.type`, 'must not be empty for specified object fields'));
  } else if (!TYPES.includes(props.type)) {
    problems.push(unsupportedValue(`${path}.type`, props.type, TYPES));
  } else if (place.root && props.type !== 'object') {
    problems.push(invalidValue(`${path}.type`, props.type, 'must be object at the root'));
  } else if (props['x-kubernetes-int-or-string']) {
    problems.push(forbiddenValue(`${path}.type`, 'must be empty if x-kubernetes-int-or-string is true'));
  }
}

function checkList(props: JSONSchemaProps, path: string, problems: FieldProblem[]): void {
  if (props.type === 'array' && !props.items) problems.push(requiredValue(`${path}.items`, 'must be specified'));
  const listType = props['x-kubernetes-list-type'];
  const keys = props['x-kubernetes-list-map-keys'] ?? [];
  if (listType !== undefined && props.type !== 'array') {
    problems.push(
      invalidValue(`${path}.type`, props.type ?? '', 'must be array if x-kubernetes-list-type is specified'),
    );
  }
  if (listType === 'map') {
    if (keys.length === 0)
      problems.push(
        requiredValue(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map'),
      );
    for (const [i, key] of keys.entries()) {
      if (props.items?.properties?.[key]) continue;
      const what = 'must refer to a property of the items';
      problems.push(invalidValue(`${path}.x-kubernetes-list-map-keys[${i}]`, key, what));
    }
  } else if (keys.length > 0) {
    problems.push(
      forbiddenValue(`${path}.x-kubernetes-list-map-keys`, 'can only be set when x-kubernetes-list-type is map'),
    );
  }
}

/** Junctors restrict values; they may not describe types, defaults or fields of their own. */
function checkNested(props: JSONSchemaProps, path: string, depth: number, problems: FieldProblem[]): void {
  if (depth > MAX_DEPTH) return;
  if (props.default !== undefined)
    problems.push(forbiddenValue(`${path}.default`, 'must be undefined to be structural'));
  if (props.nullable) problems.push(forbiddenValue(`${path}.nullable`, 'must be false to be structural'));
  if (props.pattern !== undefined && compilePattern(props.pattern) === undefined) {
    problems.push(invalidValue(`${path}.pattern`, props.pattern, "must be a valid regular expression, but isn't"));
  }
  for (const [name, child] of Object.entries(props.properties ?? {}))
    checkNested(child, `${path}.properties[${name}]`, depth + 1, problems);
  if (props.items) checkNested(props.items, `${path}.items`, depth + 1, problems);
}
