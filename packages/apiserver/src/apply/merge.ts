import type { Schema } from '@ballast/kube';
import { fieldElement, formatPath, itemsByElement, type JsonMap, type PathElement } from './path-element.ts';
import { shapeOf } from './shape.ts';

/**
 * What an applied configuration makes of the live object: fields and items are united by their schema, wholes are replaced. Items keep the
 * order of the configuration; live items that it does not name follow what preceded them. The inputs stay as they are.
 */
export function mergeApplied(
  schema: Schema,
  live: unknown,
  config: unknown,
  path: readonly PathElement[] = [],
): unknown {
  if (config === undefined) return live;
  const wanted = shapeOf(schema, config);
  const present = shapeOf(schema, live);
  if (wanted.kind === 'fields' && present.kind === 'fields') {
    const merged: JsonMap = { ...present.value };
    for (const [name, value] of Object.entries(wanted.value)) {
      if (value === null) delete merged[name];
      else merged[name] = mergeApplied(wanted.child(name), present.value[name], value, [...path, fieldElement(name)]);
    }
    return merged;
  }
  if (wanted.kind === 'items' && present.kind === 'items') {
    const at = formatPath(path);
    const liveItems = itemsByElement(present.schema, present.value, at, false);
    const configItems = itemsByElement(wanted.schema, wanted.value, at, true);
    return orderOf([...liveItems.keys()], [...configItems.keys()]).map((element) => {
      const item = configItems.get(element);
      if (item === undefined) return liveItems.get(element);
      const before = liveItems.get(element);
      return wanted.schema.listType === 'set' || before === undefined
        ? item
        : mergeApplied(wanted.schema.items, before, item, [...path, element]);
    });
  }
  return structuredClone(config);
}

/** The configuration's order, with each item that only the live list has behind the item that it followed there. */
function orderOf(live: readonly PathElement[], config: readonly PathElement[]): PathElement[] {
  const named = new Set(config);
  const order = [...config];
  let previous: PathElement | undefined;
  for (const element of live) {
    if (!named.has(element)) {
      const behind = previous === undefined ? -1 : order.indexOf(previous);
      order.splice(behind + 1, 0, element);
    }
    previous = element;
  }
  return order;
}
