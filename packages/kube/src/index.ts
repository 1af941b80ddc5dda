export * from './api-error.ts';
export * from './client.ts';
export * from './controller.ts';
export { type ClientOptions, createClient } from './https-client.ts';
export * from './informer.ts';
export * from './meta.ts';
export { type InformerOptions, startInformer } from './reflector.ts';
export * from './resource.ts';
export * from './work-queue.ts';
