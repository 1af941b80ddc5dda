import type { ListSchema, Schema } from '@ballast/kube';

/**
 * One step of a field path as managedFields writes it (FieldsV1, structured-merge-diff): 'f:name' a field or map key, 'k:{...}' the item of
 * a map list by its keys, 'v:...' the item of a set by its value.
 */
export type PathElement = string;

/** A list of the configuration that cannot be merged: items without keys, or twice the same. */
export class ListMergeError extends Error {}

export const fieldElement = (name: string): PathElement => `f:${name}`;

/** The element that names this item of a mergeable list. Key fields that are absent take their schema's default. */
export function itemElement(schema: ListSchema, item: unknown, at: string): PathElement {
  if (schema.listType === 'set') return `v:${JSON.stringify(item)}`;
  if (!isObject(item)) throw new ListMergeError(`${at}: an item must be an object`);
  const key: Record<string, unknown> = {};
  let found = false;
  for (const name of [...(schema.keys ?? [])].sort()) {
    const value = item[name] ?? defaultOf(schema.items, name);
    if (item[name] !== undefined) found = true;
    if (value !== undefined) key[name] = value;
  }
  if (!found) {
    const names = (schema.keys ?? []).join(', ');
    throw new ListMergeError(`${at}: associative list with keys has an element that omits all key fields [${names}]`);
  }
  return `k:${JSON.stringify(key)}`;
}

/** Items by their element, in order. `strict` refuses duplicates; otherwise the first of several counts. */
export function itemsByElement(
  schema: ListSchema,
  list: readonly unknown[],
  at: string,
  strict: boolean,
): Map<PathElement, unknown> {
  const items = new Map<PathElement, unknown>();
  for (const item of list) {
    const element = itemElement(schema, item, at);
    if (!items.has(element)) items.set(element, item);
    else if (strict) throw new ListMergeError(`${at}: duplicate entries for key ${formatElement(element)}`);
  }
  return items;
}

function defaultOf(schema: Schema, name: string): unknown {
  return schema.type === 'object' ? schema.properties[name]?.default : undefined;
}

/** As conflicts show it: '.replicas', '[name="web"]', '[="x"]'. */
export function formatElement(element: PathElement): string {
  const rest = element.slice(2);
  switch (element[0]) {
    case 'k': {
      const key = JSON.parse(rest) as Record<string, unknown>;
      return `[${Object.entries(key)
        .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
        .join(',')}]`;
    }
    case 'v':
      return `[=${rest}]`;
    default:
      return `.${rest}`;
  }
}

export function formatPath(path: readonly PathElement[]): string {
  return path.map(formatElement).join('');
}

export type JsonMap = Record<string, unknown>;

export function isObject(value: unknown): value is JsonMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
