export * from './api-error.ts';
export * from './client.ts';
export * from './controller.ts';
export { EventRecorder, type Occurrence } from './event-recorder.ts';
export { FakeClient } from './fake-client.ts';
export { type ClientOptions, createClient } from './https-client.ts';
export * from './informer.ts';
export * from './kinds/index.ts';
export * from './kubeconfig.ts';
export * from './meta.ts';
export * from './node-selection.ts';
export * from './pod-readiness.ts';
export * from './quantity.ts';
export { type InformerOptions, startInformer } from './reflector.ts';
export * from './resource.ts';
export type {
  Facets,
  Infer,
  IntegerSchema,
  IntOrString,
  ListSchema,
  ListType,
  MapSchema,
  ObjectSchema,
  PlainSchema,
  Quantity,
  Schema,
  StringSchema,
  ValueRules,
} from './schema/index.ts';
export { objectMeta } from './schema/index.ts';
export * from './selectors.ts';
export * from './toleration.ts';
export * from './work-queue.ts';
