export * from './codec.ts';
export * from './message.ts';
export * from './name.ts';
export * from './rdata.ts';
export * from './registry.ts';
export * from './ttl-offsets.ts';
