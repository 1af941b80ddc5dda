import type { ApiObject } from '../object/api-object.ts';
import type { FieldProblem } from '../object/failures.ts';
import type { WriteContext } from './write-context.ts';

/** Checks the object against its kind's schema, fills in defaults and drops (or refuses) fields that the kind does not have. */
export function decodeObject(object: ApiObject, _context: WriteContext): ApiObject {
  return object;
}

/** The value rules of the kind's schema. */
export function validateAgainstSchema(
  _object: ApiObject,
  _old: ApiObject | undefined,
  _context: WriteContext,
): FieldProblem[] {
  return [];
}

/** Records in managedFields what this write changed and by whom. */
export function trackFields(_object: ApiObject, _old: ApiObject | undefined, _context: WriteContext): void {}
