import { isJsonObject, type JsonObject, jsonEquals } from '../object/api-object.ts';

/** Applies a merge patch (RFC 7386). Nothing given is changed. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return structuredClone(patch);
  const result: JsonObject = isJsonObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (name === '__proto__') continue;
    if (value === null) delete result[name];
    else result[name] = applyMergePatch(result[name], value);
  }
  return result;
}

/** The merge patch that makes `after` of `before`. Undefined when they are the same; neither may contain null. */
export function diffMergePatch(before: unknown, after: unknown): unknown {
  if (!isJsonObject(before) || !isJsonObject(after)) return jsonEquals(before, after) ? undefined : after;
  const patch: JsonObject = {};
  for (const name of Object.keys(before)) if (!Object.hasOwn(after, name)) patch[name] = null;
  for (const [name, value] of Object.entries(after)) {
    if (!Object.hasOwn(before, name)) patch[name] = value;
    else {
      const difference = diffMergePatch(before[name], value);
      if (difference !== undefined) patch[name] = difference;
    }
  }
  return Object.keys(patch).length === 0 ? undefined : patch;
}
