import { isJsonObject, type JsonObject } from '../object/api-object.ts';
import type { FieldProblem } from '../object/failures.ts';
import { invalidValue, requiredValue } from '../object/field-problems.ts';

/** Collects what is wrong with an object. Paths are built as upstream writes them: spec.ports[0].name, metadata.labels[key]. */
export class Problems {
  readonly list: FieldProblem[] = [];

  add(...problems: readonly FieldProblem[]): void {
    this.list.push(...problems);
  }

  /** Checks a text by one of the formats. */
  format(field: string, value: unknown, check: (text: string) => string | undefined): void {
    if (typeof value !== 'string') return;
    const wrong = check(value);
    if (wrong !== undefined) this.list.push(invalidValue(field, value, wrong));
  }

  required(field: string, value: unknown, detail = ''): boolean {
    if (value !== undefined && value !== null && value !== '') return true;
    this.list.push(requiredValue(field, detail));
    return false;
  }

  /** A number that must not be below zero. */
  nonNegative(field: string, value: unknown): void {
    if (typeof value === 'number' && value < 0) {
      this.list.push(invalidValue(field, value, 'must be greater than or equal to 0'));
    }
  }
}

/** The items of a list that are objects, with their paths. */
export function* itemsAt(parent: JsonObject | undefined, field: string, path: string): Iterable<[JsonObject, string]> {
  const list = parent?.[field];
  if (!Array.isArray(list)) return;
  for (let i = 0; i < list.length; i++) {
    const item: unknown = list[i];
    if (isJsonObject(item)) yield [item, `${path}.${field}[${i}]`];
  }
}
