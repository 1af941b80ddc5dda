import { textField } from '../cache/cached-object.ts';
import { fieldAt, isJsonObject, jsonEquals, objectAt } from '../object/api-object.ts';
import type { FieldProblem } from '../object/failures.ts';
import { forbiddenValue, invalidValue } from '../object/field-problems.ts';
import type { ResourceSpecifics, WriteHooks } from './definition.ts';

/** `stringData` is written in plain text and kept as base64 in `data`; `type` never changes. */
const secretHooks: WriteHooks = {
  prepareForCreate: takeStringData,
  prepareForUpdate: takeStringData,
  validate(secret, old) {
    const problems: FieldProblem[] = [];
    if (old && !jsonEquals(secret.type, old.type))
      problems.push(invalidValue('type', secret.type, 'field is immutable'));
    if (old && fieldAt(old, 'immutable') === true) {
      if (fieldAt(secret, 'immutable') !== true)
        problems.push(forbiddenValue('immutable', 'field is immutable when `immutable` is set'));
      if (!jsonEquals(secret.data, old.data))
        problems.push(forbiddenValue('data', 'field is immutable when `immutable` is set'));
    }
    return problems;
  },
};

function takeStringData(secret: Record<string, unknown>): void {
  secret.type ??= 'Opaque';
  const text = objectAt(secret, 'stringData');
  if (!text) return;
  const data = isJsonObject(secret.data) ? secret.data : {};
  for (const [key, value] of Object.entries(text)) data[key] = Buffer.from(String(value)).toString('base64');
  secret.data = data;
  delete secret.stringData;
}

export const secrets: ResourceSpecifics = { selectableFields: { type: textField('type') }, hooks: secretHooks };
