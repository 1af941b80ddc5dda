import type { Schema } from '@ballast/kube';
import { jsonEquals } from '../object/api-object.ts';
import { FieldSet, FieldSetBuilder } from './field-set.ts';
import { fieldElement, itemsByElement, ListMergeError, type PathElement } from './path-element.ts';
import { type Shape, shapeOf } from './shape.ts';

/** What differs between two states of an object, as sets of paths. A path that appears or vanishes counts, and so do all below it. */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

export function compare(schema: Schema, before: unknown, after: unknown): Comparison {
  const walk = { added: new FieldSetBuilder(), modified: new FieldSetBuilder(), removed: new FieldSetBuilder() };
  visit(schema, before, after, [], walk);
  return { added: walk.added.build(), modified: walk.modified.build(), removed: walk.removed.build() };
}

type Walk = Readonly<Record<keyof Comparison, FieldSetBuilder>>;

function visit(schema: Schema, before: unknown, after: unknown, path: readonly PathElement[], walk: Walk): void {
  if (before === undefined && after === undefined) return;
  const left = shapeOf(schema, before);
  const right = shapeOf(schema, after);
  const mixed = before !== undefined && after !== undefined && left.kind !== right.kind;
  if (!mixed && path.length > 0) {
    if (before === undefined) walk.added.insert(path);
    else if (after === undefined) walk.removed.insert(path);
  }
  const children = mixed ? undefined : childrenOf(before === undefined ? right : left, before, after);
  if (!children) {
    if (before !== undefined && after !== undefined && !jsonEquals(before, after)) walk.modified.insert(path);
    return;
  }
  for (const [element, child] of children) visit(child.schema, child.before, child.after, [...path, element], walk);
}

interface Pair {
  readonly schema: Schema;
  before?: unknown;
  after?: unknown;
}

function childrenOf(shape: Shape, before: unknown, after: unknown): Map<PathElement, Pair> | undefined {
  if (shape.kind === 'leaf') return undefined;
  const pairs = new Map<PathElement, Pair>();
  const put = (side: 'before' | 'after', element: PathElement, schema: Schema, value: unknown) => {
    const pair = pairs.get(element);
    if (pair) pair[side] = value;
    else pairs.set(element, { schema, [side]: value });
  };
  for (const [side, value] of [
    ['before', before],
    ['after', after],
  ] as const) {
    if (value === undefined) continue;
    if (shape.kind === 'fields') {
      for (const [name, child] of Object.entries(value as object))
        put(side, fieldElement(name), shape.child(name), child);
      continue;
    }
    let items: Map<PathElement, unknown>;
    try {
      items = itemsByElement(shape.schema, value as readonly unknown[], '', false);
    } catch (error) {
      // A list that was stored with items that lack their keys is compared as a whole.
      if (error instanceof ListMergeError) return undefined;
      throw error;
    }
    for (const [element, item] of items) {
      put(side, element, shape.schema.listType === 'map' ? shape.schema.items : { type: 'any' }, item);
    }
  }
  return pairs;
}

/** Everything that a write touched and that is still there. */
export function changed({ added, modified }: Comparison): FieldSet {
  return FieldSet.empty.union(added).union(modified);
}
