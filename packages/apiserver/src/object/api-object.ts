import type { ObjectMeta } from '@ballast/kube';

export type JsonObject = Record<string, unknown>;

/** Any Kubernetes object as JSON. Kinds are told apart by their ResourceDefinition, not by TypeScript types. */
export interface ApiObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  [field: string]: unknown;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What stands at a path of field names, or undefined when any step is missing. */
export function fieldAt(value: unknown, ...path: readonly string[]): unknown {
  let at = value;
  for (const name of path) {
    if (!isJsonObject(at) || !Object.hasOwn(at, name)) return undefined;
    at = at[name];
  }
  return at;
}

export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const at = fieldAt(value, ...path);
  return typeof at === 'string' ? at : undefined;
}

export function numberAt(value: unknown, ...path: readonly string[]): number | undefined {
  const at = fieldAt(value, ...path);
  return typeof at === 'number' ? at : undefined;
}

export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const at = fieldAt(value, ...path);
  return Array.isArray(at) ? at : [];
}

export function objectAt(value: unknown, ...path: readonly string[]): JsonObject | undefined {
  const at = fieldAt(value, ...path);
  return isJsonObject(at) ? at : undefined;
}

/** Sets a field, making the objects on the way to it. */
export function setField(target: JsonObject, path: readonly string[], value: unknown): void {
  let at = target;
  for (const name of path.slice(0, -1)) {
    const next = at[name];
    if (isJsonObject(next)) at = next;
    else {
      const made: JsonObject = {};
      at[name] = made;
      at = made;
    }
  }
  const last = path.at(-1);
  if (last !== undefined) at[last] = value;
}

/** True when two JSON values are the same; the order of fields does not matter, an absent field is the same as an undefined one. */
export function jsonEquals(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => jsonEquals(item, b[i]));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  for (const name of Object.keys(a)) if (!jsonEquals(a[name], b[name])) return false;
  for (const name of Object.keys(b)) if (b[name] !== undefined && a[name] === undefined) return false;
  return true;
}

/** The time format of Kubernetes: RFC 3339, UTC, whole seconds. */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
