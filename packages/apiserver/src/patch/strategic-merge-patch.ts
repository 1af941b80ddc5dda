import type { ListSchema, Schema } from '@ballast/kube';
import { isJsonObject, type JsonObject, jsonEquals } from '../object/api-object.ts';
import { PatchError } from './json-pointer.ts';

const PATCH = '$patch';
const RETAIN_KEYS = '$retainKeys';
const SET_ORDER = '$setElementOrder/';
const DELETE_VALUES = '$deleteFromPrimitiveList/';

/**
 * Applies a strategic merge patch: a merge patch in which lists with a merge key merge item by item, as the schema says, and with the
 * directives $patch (replace, merge, delete), $retainKeys, $setElementOrder/x and $deleteFromPrimitiveList/x. Nothing given is changed.
 * Throws PatchError.
 */
export function applyStrategicMergePatch(schema: Schema, target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) throw new PatchError('malformed', 'a strategic merge patch is an object');
  return mergeObject(schema, isJsonObject(target) ? target : {}, patch);
}

const UNTYPED: Schema = { type: 'any' };

function childOf(schema: Schema, name: string): Schema {
  if (schema.type === 'object')
    return (Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined) ?? UNTYPED;
  if (schema.type === 'map') return schema.values;
  return UNTYPED;
}

function mergeObject(schema: Schema, target: JsonObject | undefined, patch: JsonObject): JsonObject {
  const directive = patch[PATCH];
  const replace =
    directive === 'replace' ||
    (schema.type === 'object' && schema.patchStrategy === 'replace' && directive === undefined);
  if (directive === 'delete') return {};
  if (replace) return withoutDirectives(patch);
  if (directive !== undefined && directive !== 'merge') {
    throw new PatchError(
      'malformed',
      `unrecognized type: ${JSON.stringify(directive)}, only support $patch directive values: merge, replace, delete`,
    );
  }
  const result: JsonObject = { ...target };
  retain(result, patch);
  for (const [name, value] of Object.entries(patch)) {
    if (name.startsWith('$')) {
      if (name.startsWith(DELETE_VALUES)) deleteValues(result, name.slice(DELETE_VALUES.length), value);
      continue;
    }
    const merged = mergeValue(childOf(schema, name), result[name], value);
    if (merged === undefined) delete result[name];
    else result[name] = merged;
  }
  // An order without a patch for the list itself still sorts it.
  for (const [name, order] of Object.entries(patch)) {
    if (!name.startsWith(SET_ORDER)) continue;
    const field = name.slice(SET_ORDER.length);
    const present = result[field];
    const child = childOf(schema, field);
    if (Array.isArray(present) && child.type === 'list' && Array.isArray(order)) {
      result[field] = inOrder(child, present, order, target?.[field]);
    }
  }
  return result;
}

/** $retainKeys: fields that it does not list go. */
function retain(result: JsonObject, patch: JsonObject): void {
  const keys = patch[RETAIN_KEYS];
  if (keys === undefined) return;
  if (!Array.isArray(keys)) throw new PatchError('malformed', '$retainKeys must be a list of field names');
  for (const name of Object.keys(patch)) {
    if (name.startsWith('$') || patch[name] === null || keys.includes(name)) continue;
    throw new PatchError('malformed', `the field ${name} of the patch is not in its $retainKeys`);
  }
  for (const name of Object.keys(result)) if (!keys.includes(name)) delete result[name];
}

function mergeValue(schema: Schema, target: unknown, patch: unknown): unknown {
  if (patch === null) return undefined;
  if (isJsonObject(patch)) return mergeObject(schema, isJsonObject(target) ? target : undefined, patch);
  if (!Array.isArray(patch)) return patch;
  if (schema.type !== 'list' || !schema.patchStrategy) return patch.map(cleaned);
  const present = Array.isArray(target) ? target : [];
  return schema.patchMergeKey === undefined ? mergeValues(present, patch) : mergeItems(schema, present, patch);
}

function mergeValues(target: readonly unknown[], patch: readonly unknown[]): unknown[] {
  const merged = [...target];
  for (const value of patch) if (!merged.some((known) => jsonEquals(known, value))) merged.push(value);
  return merged;
}

function deleteValues(result: JsonObject, field: string, values: unknown): void {
  const present = result[field];
  if (!Array.isArray(values)) throw new PatchError('malformed', `${DELETE_VALUES}${field} must be a list`);
  if (Array.isArray(present))
    result[field] = present.filter((value) => !values.some((gone) => jsonEquals(gone, value)));
}

function mergeItems(schema: ListSchema, target: readonly unknown[], patch: readonly unknown[]): unknown[] {
  const key = schema.patchMergeKey ?? '';
  // {$patch: replace} as an item of its own: the other items are the new list.
  if (patch.some((item) => isJsonObject(item) && item[PATCH] === 'replace' && item[key] === undefined)) {
    return patch.filter((item) => !(isJsonObject(item) && item[PATCH] === 'replace')).map(cleaned);
  }
  let merged = [...target];
  for (const item of patch) {
    if (!isJsonObject(item)) throw new PatchError('malformed', 'a list of objects can only be patched by objects');
    const identity = item[key];
    if (identity === undefined || identity === null) {
      throw new PatchError('failed', `map: ${describe(item)} does not contain declared merge key: ${key}`);
    }
    const isMeant = (known: unknown) => isJsonObject(known) && jsonEquals(known[key], identity);
    if (item[PATCH] === 'delete') {
      merged = merged.filter((known) => !isMeant(known));
      continue;
    }
    const at = merged.findIndex(isMeant);
    const present = merged[at];
    if (at < 0) {
      merged.push(mergeObject(schema.items, {}, item));
    } else {
      merged[at] = mergeObject(schema.items, isJsonObject(present) ? present : {}, item);
    }
  }
  return merged;
}

function describe(item: JsonObject): string {
  return `map[${Object.entries(item)
    .map(([name, value]) => `${name}:${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(' ')}]`;
}

/**
 * Sorts by $setElementOrder: listed items in that order; the others keep their place relative to the items they stood between on the
 * server.
 */
function inOrder(schema: ListSchema, list: readonly unknown[], order: readonly unknown[], server: unknown): unknown[] {
  const key = schema.patchMergeKey;
  const identityOf = (item: unknown) => JSON.stringify(key !== undefined && isJsonObject(item) ? item[key] : item);
  const rank = new Map(order.map((item, i) => [identityOf(item), i] as const));
  const listed = list.filter((item) => rank.has(identityOf(item)));
  listed.sort((a, b) => (rank.get(identityOf(a)) ?? 0) - (rank.get(identityOf(b)) ?? 0));
  const others = list.filter((item) => !rank.has(identityOf(item)));
  if (others.length === 0) return listed;
  const serverOrder = new Map((Array.isArray(server) ? server : list).map((item, i) => [identityOf(item), i] as const));
  const place = (item: unknown) => serverOrder.get(identityOf(item)) ?? Number.POSITIVE_INFINITY;
  const result: unknown[] = [];
  let next = 0;
  for (const item of listed) {
    while (next < others.length && place(others[next]) < place(item)) result.push(others[next++]);
    result.push(item);
  }
  return [...result, ...others.slice(next)];
}

/** A value without the directives that it may carry at any depth, and without nulls. */
function cleaned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cleaned);
  return isJsonObject(value) ? withoutDirectives(value) : value;
}

function withoutDirectives(object: JsonObject): JsonObject {
  const result: JsonObject = {};
  for (const [name, value] of Object.entries(object)) {
    if (
      value === null ||
      name === PATCH ||
      name === RETAIN_KEYS ||
      name.startsWith(SET_ORDER) ||
      name.startsWith(DELETE_VALUES)
    )
      continue;
    result[name] = cleaned(value);
  }
  return result;
}
