import { boolean, bytes, type Infer, kind, list, map, mapList, string, withDefault } from '../../schema/index.ts';
import { localObjectReferenceSchema, objectReferenceSchema } from './reference.ts';

const CORE = 'io.k8s.api.core.v1';

export const configMapSchema = kind(`${CORE}.ConfigMap`, 'Configuration that pods can use.', {
  immutable: boolean('Data cannot change any more.'),
  data: map(string(), 'Text by key.'),
  binaryData: map(bytes(), 'Bytes by key.'),
});
export interface ConfigMap extends Infer<typeof configMapSchema> {}

export const secretSchema = kind(`${CORE}.Secret`, 'Confidential data that pods can use.', {
  immutable: boolean('Data cannot change any more.'),
  data: map(bytes(), 'Bytes by key.'),
  stringData: map(string(), 'Text by key; merged into data on writing and never shown.'),
  type: withDefault(string('What the data is for.'), 'Opaque'),
});
export interface Secret extends Infer<typeof secretSchema> {}

export const serviceAccountSchema = kind(`${CORE}.ServiceAccount`, 'An identity for pods.', {
  secrets: mapList('name', objectReferenceSchema, 'Secrets its pods may use.'),
  imagePullSecrets: list(localObjectReferenceSchema, 'Secrets for pulling images.'),
  automountServiceAccountToken: boolean('Whether pods get a token.'),
});
export interface ServiceAccount extends Infer<typeof serviceAccountSchema> {}
