import { atomic, type Infer, object, required, string } from '../../schema/index.ts';

const CORE = 'io.k8s.api.core.v1';

export const objectReferenceSchema = atomic(
  object(`${CORE}.ObjectReference`, 'Points at an object, or at a part of it.', {
    apiVersion: string('API version of the object.'),
    kind: string('Kind of the object.'),
    namespace: string('Namespace of the object.'),
    name: string('Name of the object.'),
    uid: string('UID of the object.'),
    resourceVersion: string('The version that is meant.'),
    fieldPath: string('The part of the object, for example spec.containers{name}.'),
  }),
);
export interface ObjectReference extends Infer<typeof objectReferenceSchema> {}

export const localObjectReferenceSchema = atomic(
  object(`${CORE}.LocalObjectReference`, 'Names an object in the same namespace.', {
    name: string('Name of the object.'),
  }),
);
export interface LocalObjectReference extends Infer<typeof localObjectReferenceSchema> {}

export const typedLocalObjectReferenceSchema = atomic(
  object(`${CORE}.TypedLocalObjectReference`, 'Names an object of any kind in the same namespace.', {
    apiGroup: string('Group of the object; absent for the core group.'),
    kind: required(string('Kind of the object.')),
    name: required(string('Name of the object.')),
  }),
);
export interface TypedLocalObjectReference extends Infer<typeof typedLocalObjectReferenceSchema> {}

export const typedObjectReferenceSchema = object(`${CORE}.TypedObjectReference`, 'Names an object of any kind.', {
  apiGroup: string('Group of the object; absent for the core group.'),
  kind: required(string('Kind of the object.')),
  name: required(string('Name of the object.')),
  namespace: string('Namespace of the object.'),
});
export interface TypedObjectReference extends Infer<typeof typedObjectReferenceSchema> {}

export const secretReferenceSchema = atomic(
  object(`${CORE}.SecretReference`, 'Names a Secret in any namespace.', {
    name: string('Name of the Secret.'),
    namespace: string('Namespace of the Secret.'),
  }),
);
export interface SecretReference extends Infer<typeof secretReferenceSchema> {}
