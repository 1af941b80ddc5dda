export * from './conntrack.ts';
export * from './nft.ts';
export * from './process.ts';
export * from './process-identity.ts';
export * from './libc-sockets.ts';
export * from './packet-socket.ts';
export * from './socket-address.ts';
export * from './tcp-socket.ts';
