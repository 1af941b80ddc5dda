import { isJsonObject } from '../object/api-object.ts';

/**
 * The JSONPath of printer columns and selectable fields: fields ('.spec.replicas', "['a.b']", '\.' as an escape), indexes, [*], slices,
 * recursive descent and filters that compare one field: [?(@.type=="Ready")].
 */
export type JsonPath = readonly Step[];

type Step =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'index'; readonly at: number }
  | { readonly kind: 'slice'; readonly from: number; readonly to: number | undefined }
  | { readonly kind: 'all' }
  | { readonly kind: 'descend' }
  | { readonly kind: 'filter'; readonly path: JsonPath; readonly operator: string; readonly value: unknown };

export class JsonPathError extends Error {}

const FIELD = /(?:[^.[\]\\]|\\.)+/y;
const QUOTED = /'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/y;
const FILTER = /^\?\(\s*@((?:\.|\[)[^=!<>]*?)\s*(?:(==|!=|<=|>=|<|>)\s*(.+?))?\s*\)$/;

export function parseJsonPath(text: string): JsonPath {
  const source = text.startsWith('{') && text.endsWith('}') ? text.slice(1, -1) : text;
  const steps: Step[] = [];
  let at = source.startsWith('$') ? 1 : 0;
  while (at < source.length) {
    if (source.startsWith('..', at)) {
      steps.push({ kind: 'descend' });
      at += 1;
      if (source[at + 1] === '[') at += 1;
      continue;
    }
    if (source[at] === '.') {
      at++;
      if (at === source.length) break;
      if (source[at] === '*') {
        steps.push({ kind: 'all' });
        at++;
        continue;
      }
      if (source[at] === '[') continue;
      FIELD.lastIndex = at;
      const match = FIELD.exec(source);
      if (!match) throw new JsonPathError(`unexpected text at ${at} of ${JSON.stringify(text)}`);
      steps.push({ kind: 'field', name: match[0].replaceAll(/\\(.)/g, '$1') });
      at = FIELD.lastIndex;
      continue;
    }
    if (source[at] !== '[')
      throw new JsonPathError(`unexpected ${JSON.stringify(source[at])} in ${JSON.stringify(text)}`);
    const end = closingBracket(source, at);
    steps.push(parseBracket(source.slice(at + 1, end).trim(), text));
    at = end + 1;
  }
  return steps;
}

function closingBracket(source: string, start: number): number {
  let depth = 0;
  let quote = '';
  for (let i = start; i < source.length; i++) {
    const sign = source[i] ?? '';
    if (quote !== '') {
      if (sign === '\\') i++;
      else if (sign === quote) quote = '';
    } else if (sign === '"' || sign === "'") quote = sign;
    else if (sign === '[') depth++;
    else if (sign === ']' && --depth === 0) return i;
  }
  throw new JsonPathError(`unterminated array in ${JSON.stringify(source)}`);
}

function parseBracket(inner: string, text: string): Step {
  if (inner === '*') return { kind: 'all' };
  if (/^-?\d+$/.test(inner)) return { kind: 'index', at: Number(inner) };
  const slice = /^(-?\d*):(-?\d*)$/.exec(inner);
  if (slice) return { kind: 'slice', from: Number(slice[1] || 0), to: slice[2] ? Number(slice[2]) : undefined };
  QUOTED.lastIndex = 0;
  const quoted = QUOTED.exec(inner);
  if (quoted && QUOTED.lastIndex === inner.length) {
    return { kind: 'field', name: (quoted[1] ?? quoted[2] ?? '').replaceAll(/\\(.)/g, '$1') };
  }
  const filter = FILTER.exec(inner);
  if (filter) {
    const [, path = '', operator = 'exists', value] = filter;
    return { kind: 'filter', path: parseJsonPath(path.trim()), operator, value: literalOf(value) };
  }
  throw new JsonPathError(`invalid array index ${JSON.stringify(inner)} in ${JSON.stringify(text)}`);
}

function literalOf(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  const quoted = /^(['"])(.*)\1$/s.exec(text);
  if (quoted) return quoted[2];
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}

/** All values at the path, in document order. */
export function valuesAt(path: JsonPath, root: unknown): unknown[] {
  let found: unknown[] = [root];
  for (const step of path) found = found.flatMap((value) => stepInto(step, value));
  return found;
}

function childrenOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return isJsonObject(value) ? Object.values(value) : [];
}

function stepInto(step: Step, value: unknown): unknown[] {
  switch (step.kind) {
    case 'field':
      return isJsonObject(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : [];
    case 'index': {
      if (!Array.isArray(value)) return [];
      const item: unknown = value.at(step.at);
      return item === undefined ? [] : [item];
    }
    case 'slice':
      return Array.isArray(value) ? value.slice(step.from, step.to) : [];
    case 'all':
      return childrenOf(value);
    case 'descend':
      return [value, ...childrenOf(value).flatMap((child) => stepInto(step, child))];
    case 'filter':
      return childrenOf(value).filter((child) => {
        const [actual] = valuesAt(step.path, child);
        return compares(actual, step.operator, step.value);
      });
    default:
      return step satisfies never;
  }
}

function compares(actual: unknown, operator: string, wanted: unknown): boolean {
  switch (operator) {
    case 'exists':
      return actual !== undefined;
    case '==':
      return actual === wanted;
    case '!=':
      return actual !== wanted;
    default:
      break;
  }
  const numbers = typeof actual === 'number' && typeof wanted === 'number';
  const texts = typeof actual === 'string' && typeof wanted === 'string';
  if (!numbers && !texts) return false;
  if (operator === '<') return actual < wanted;
  if (operator === '<=') return actual <= wanted;
  return operator === '>' ? actual > wanted : actual >= wanted;
}
