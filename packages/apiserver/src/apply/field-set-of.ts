import type { Schema } from '@ballast/kube';
import { type FieldSet, FieldSetBuilder } from './field-set.ts';
import { fieldElement, formatPath, isObject, itemsByElement, type PathElement } from './path-element.ts';
import { shapeOf } from './shape.ts';

/** The paths that a value consists of: what a manager owns that applies it. Throws ListMergeError. */
export function fieldSetOf(schema: Schema, value: unknown): FieldSet {
  const builder = new FieldSetBuilder();
  collect(schema, value, [], builder);
  return builder.build();
}

function collect(schema: Schema, value: unknown, path: readonly PathElement[], into: FieldSetBuilder): void {
  const shape = shapeOf(schema, value);
  switch (shape.kind) {
    case 'leaf':
      if (path.length > 0) into.insert(path);
      return;
    case 'fields':
      for (const [name, child] of Object.entries(shape.value)) {
        const at = [...path, fieldElement(name)];
        // An empty object, null, and the keys of a map are owned as such, besides what is in them.
        const isEmpty = child === null || (isObject(child) && Object.keys(child).length === 0);
        if (isEmpty || !shape.known(name)) into.insert(at);
        if (child !== null) collect(shape.child(name), child, at, into);
      }
      return;
    case 'items':
      for (const [element, item] of itemsByElement(shape.schema, shape.value, formatPath(path), true)) {
        const at = [...path, element];
        into.insert(at);
        if (shape.schema.listType === 'map') collect(shape.schema.items, item, at, into);
      }
  }
}
