import type { FieldProblem } from './failures.ts';

/** How upstream shows a value in an error: text quoted, numbers and booleans bare, the rest as compact JSON. */
function show(value: unknown): string {
  return JSON.stringify(value) ?? 'null';
}

export const invalidValue = (field: string, value: unknown, detail: string): FieldProblem => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${show(value)}${detail === '' ? '' : `: ${detail}`}`,
  field,
});

export const requiredValue = (field: string, detail = ''): FieldProblem => ({
  reason: 'FieldValueRequired',
  message: detail === '' ? 'Required value' : `Required value: ${detail}`,
  field,
});

export const forbiddenValue = (field: string, detail: string): FieldProblem => ({
  reason: 'FieldValueForbidden',
  message: `Forbidden: ${detail}`,
  field,
});

export const duplicateValue = (field: string, value: unknown): FieldProblem => ({
  reason: 'FieldValueDuplicate',
  message: `Duplicate value: ${show(value)}`,
  field,
});

export const unsupportedValue = (field: string, value: unknown, supported: readonly string[]): FieldProblem => ({
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${show(value)}: supported values: ${supported.map((text) => `"${text}"`).join(', ')}`,
  field,
});
