import { textField } from '../cache/cached-object.ts';
import { isJsonObject, objectAt } from '../object/api-object.ts';
import type { ResourceSpecifics, WriteHooks } from './definition.ts';

/** `stringData` is written in plain text and kept as base64 in `data`. */
const secretHooks: WriteHooks = {
  prepareForCreate: takeStringData,
  prepareForUpdate: takeStringData,
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
