import { isJsonObject, jsonEquals } from '../object/api-object.ts';
import { PatchError, parsePointer } from './json-pointer.ts';

/** The most operations of one patch; upstream's limit. */
const MAX_OPERATIONS = 10_000;
/** The most bytes that `copy` operations of one patch may add, so that a small patch cannot make a huge object. */
const MAX_COPIED_BYTES = 3 * 1024 * 1024;

/**
 * Applies a JSON patch (RFC 6902). The document is not changed: the result is a new one, and a patch of which any operation fails leaves
 * nothing behind. Throws PatchError.
 */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw new PatchError('malformed', 'a JSON patch is a list of operations');
  if (patch.length > MAX_OPERATIONS) {
    throw new PatchError(
      'malformed',
      `The allowed maximum operations in a JSON patch is ${MAX_OPERATIONS}, got ${patch.length}`,
    );
  }
  let root: unknown = structuredClone(document);
  let copied = 0;
  for (const operation of patch) {
    if (!isJsonObject(operation)) throw new PatchError('malformed', 'an operation of a JSON patch is an object');
    const path = parsePointer(textOf(operation, 'path'));
    const op = textOf(operation, 'op');
    switch (op) {
      case 'add':
        root = add(root, path, structuredClone(operandOf(operation)));
        break;
      case 'remove':
        root = remove(root, path);
        break;
      case 'replace':
        get(root, path);
        root = replace(root, path, structuredClone(operandOf(operation)));
        break;
      case 'move': {
        const from = parsePointer(textOf(operation, 'from'));
        if (from.length < path.length && from.every((step, i) => step === path[i])) {
          throw new PatchError('failed', 'a value cannot be moved into itself');
        }
        const value = get(root, from);
        root = add(remove(root, from), path, value);
        break;
      }
      case 'copy': {
        const value = structuredClone(get(root, parsePointer(textOf(operation, 'from'))));
        copied += JSON.stringify(value)?.length ?? 0;
        if (copied > MAX_COPIED_BYTES) {
          throw new PatchError('malformed', `the copy operations of the patch add more than ${MAX_COPIED_BYTES} bytes`);
        }
        root = add(root, path, value);
        break;
      }
      case 'test':
        if (!jsonEquals(get(root, path), operandOf(operation))) {
          throw new PatchError('failed', `testing value ${textOf(operation, 'path')} failed: test failed`);
        }
        break;
      default:
        throw new PatchError('malformed', `Unexpected kind: ${op}`);
    }
  }
  return root;
}

function textOf(operation: Record<string, unknown>, field: 'op' | 'path' | 'from'): string {
  const value = operation[field];
  if (typeof value !== 'string') throw new PatchError('malformed', `an operation of a JSON patch lacks ${field}`);
  return value;
}

function operandOf(operation: Record<string, unknown>): unknown {
  if (!Object.hasOwn(operation, 'value')) throw new PatchError('malformed', 'an operation of a JSON patch lacks value');
  return operation.value;
}

function missing(path: readonly string[]): PatchError {
  return new PatchError('failed', `the path /${path.join('/')} does not exist in the object`);
}

function indexOf(list: readonly unknown[], step: string, path: readonly string[], end: number): number {
  if (!/^(0|[1-9][0-9]*)$/.test(step)) throw missing(path);
  const index = Number(step);
  if (index >= end || index > list.length) throw missing(path);
  return index;
}

function get(root: unknown, path: readonly string[]): unknown {
  let at = root;
  for (const step of path) {
    if (Array.isArray(at)) at = at[indexOf(at, step, path, at.length)];
    else if (isJsonObject(at) && Object.hasOwn(at, step)) at = at[step];
    else throw missing(path);
  }
  return at;
}

function parentOf(root: unknown, path: readonly string[]): { parent: unknown; step: string } {
  return { parent: get(root, path.slice(0, -1)), step: path.at(-1) ?? '' };
}

function add(root: unknown, path: readonly string[], value: unknown): unknown {
  if (path.length === 0) return value;
  const { parent, step } = parentOf(root, path);
  if (Array.isArray(parent))
    parent.splice(step === '-' ? parent.length : indexOf(parent, step, path, parent.length + 1), 0, value);
  else if (isJsonObject(parent)) define(parent, step, value);
  else throw missing(path);
  return root;
}

function replace(root: unknown, path: readonly string[], value: unknown): unknown {
  if (path.length === 0) return value;
  const { parent, step } = parentOf(root, path);
  if (Array.isArray(parent)) parent[indexOf(parent, step, path, parent.length)] = value;
  else if (isJsonObject(parent)) define(parent, step, value);
  return root;
}

/** A field named __proto__ is a field like any other. */
function define(parent: Record<string, unknown>, name: string, value: unknown): void {
  Object.defineProperty(parent, name, { value, writable: true, enumerable: true, configurable: true });
}

function remove(root: unknown, path: readonly string[]): unknown {
  if (path.length === 0) return null;
  const { parent, step } = parentOf(root, path);
  if (Array.isArray(parent)) parent.splice(indexOf(parent, step, path, parent.length), 1);
  else if (isJsonObject(parent) && Object.hasOwn(parent, step)) delete parent[step];
  else throw missing(path);
  return root;
}
