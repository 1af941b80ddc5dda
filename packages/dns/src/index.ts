export { CorefileError, type CorefileProblem } from './corefile/problem.ts';
export type { CorefileSpec } from './server/corefile-feed.ts';
export { DEFAULT_COREFILE } from './server/default-corefile.ts';
export { type DnsServer, type DnsServerOptions, startDnsServer } from './server/dns-server.ts';
export type { OpenAddress } from './server/listeners.ts';
