export * from './conntrack.ts';
export * from './nft.ts';
export * from './process.ts';
export * from './process-identity.ts';
