export * from './api-error.ts';
export * from './client.ts';
export * from './informer.ts';
export * from './meta.ts';
export * from './resource.ts';
