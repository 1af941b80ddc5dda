import type { ListSchema, Schema } from '@ballast/kube';
import { isObject, type JsonMap } from './path-element.ts';

/** How merging sees a value: a whole, fields by name, or items by key. Every walk of this folder switches on it. */
export type Shape =
  | { readonly kind: 'leaf' }
  /** `known` fields belong to the schema, the others are keys of a map. */
  | {
      readonly kind: 'fields';
      readonly value: JsonMap;
      readonly child: (name: string) => Schema;
      readonly known: (name: string) => boolean;
    }
  | { readonly kind: 'items'; readonly value: readonly unknown[]; readonly schema: ListSchema };

/** Fields that no schema describes: maps merge key by key, everything else is a whole (as upstream's deduced types). */
const UNTYPED: Schema = { type: 'any' };

const LEAF: Shape = { kind: 'leaf' };

export function shapeOf(schema: Schema, value: unknown): Shape {
  switch (schema.type) {
    case 'object':
      if (schema.atomic || !isObject(value)) return LEAF;
      return {
        kind: 'fields',
        value,
        child: (name) => schema.properties[name] ?? UNTYPED,
        known: (name) => Object.hasOwn(schema.properties, name),
      };
    case 'map':
      if (schema.atomic || !isObject(value)) return LEAF;
      return { kind: 'fields', value, child: () => schema.values, known: () => false };
    case 'list':
      if (schema.listType === 'atomic' || !Array.isArray(value)) return LEAF;
      return { kind: 'items', value, schema };
    case 'any':
      if (!isObject(value)) return LEAF;
      return { kind: 'fields', value, child: () => UNTYPED, known: () => false };
    default:
      return LEAF;
  }
}
