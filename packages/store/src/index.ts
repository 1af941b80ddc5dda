export * from './memory-store.ts';
export * from './sqlite-store.ts';
export * from './store.ts';
