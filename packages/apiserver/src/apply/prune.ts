import type { Schema } from '@ballast/kube';
import type { FieldSet } from './field-set.ts';
import { fieldElement, itemElement, type JsonMap } from './path-element.ts';
import { shapeOf } from './shape.ts';

/**
 * The value without the paths in `gone`: fields that their last owner no longer applies. A path that has members in `kept` below it stays,
 * with what is kept. The input stays as it is.
 */
export function prune(schema: Schema, value: unknown, gone: FieldSet, kept: FieldSet): unknown {
  if (gone.isEmpty) return value;
  const shape = shapeOf(schema, value);
  switch (shape.kind) {
    case 'leaf':
      return value;
    case 'fields': {
      const result: JsonMap = {};
      for (const [name, child] of Object.entries(shape.value)) {
        const element = fieldElement(name);
        const [goneBelow, keptBelow] = [gone.child(element), kept.child(element)];
        if (goneBelow.member && keptBelow.isEmpty) continue;
        const pruned = prune(shape.child(name), child, goneBelow, keptBelow);
        // A container that was emptied goes too, unless someone owns the container itself.
        if (!(isEmptied(child, pruned) && !keptBelow.member)) result[name] = pruned;
      }
      return result;
    }
    case 'items': {
      const result: unknown[] = [];
      for (const item of shape.value) {
        const element = itemElement(shape.schema, item, '');
        const [goneBelow, keptBelow] = [gone.child(element), kept.child(element)];
        if (goneBelow.member && keptBelow.isEmpty) continue;
        result.push(prune(shape.schema.items, item, goneBelow, keptBelow));
      }
      return result;
    }
  }
}

function isEmptied(before: unknown, after: unknown): boolean {
  if (typeof before !== 'object' || before === null) return false;
  const size = (value: unknown) => Object.keys(value as object).length;
  return size(before) > 0 && size(after) === 0;
}
