import type { NftElement, NftExpression } from '@ballast/linux';
import type { Family } from './element.ts';
import { endpointsBehind, type Frontend } from './frontend.ts';
import type { FrontendChange } from './ledger.ts';

/** A client of a frontend with ClientIP affinity, as the kernel remembers it. */
export interface RememberedClient {
  /** The frontend's key in the ledger. */
  readonly frontendKey: string;
  /** '10.42.0.7 . 8080' */
  readonly endpoint: string;
  readonly element: NftElement;
}

/**
 * The rules of a chain that remembers clients, one for each transport: once a connection has its endpoint, the map `affinity` gets or renews
 * client . original address . protocol . original port : endpoint . port.
 */
export function rememberRules(family: Family, seconds: number): NftExpression[][] {
  const size = family === 4 ? 4 : 16;
  const words = size / 4;
  const [source, destination] = family === 4 ? [12, 16] : [8, 24];
  const key = 8;
  const data = key + 2 * words + 2;
  return [6, 17, 132].map((protocol): NftExpression[] => [
    { name: 'meta', key: 'l4proto', register: key },
    { name: 'cmp', register: key, equals: Buffer.from([protocol]) },
    { name: 'payload', base: 'network', offset: source, length: size, register: key },
    { name: 'ct', key: family === 4 ? 'dst-ip' : 'dst-ip6', register: key + words },
    { name: 'meta', key: 'l4proto', register: key + 2 * words },
    { name: 'ct', key: 'proto-dst', register: key + 2 * words + 1 },
    { name: 'payload', base: 'network', offset: destination, length: size, register: data },
    { name: 'payload', base: 'transport', offset: 2, length: 2, register: data + words },
    { name: 'dynset', map: 'affinity', keyRegister: key, dataRegister: data, timeoutMs: seconds * 1000 },
  ]);
}

/** Clients whose endpoint, or whose affinity, is gone. */
export function staleClients(
  clients: readonly RememberedClient[],
  frontendOf: (key: string) => Frontend | undefined,
): RememberedClient[] {
  return clients.filter(({ frontendKey, endpoint }) => {
    const frontend = frontendOf(frontendKey);
    return frontend?.affinitySeconds === undefined || !endpointsBehind(frontend).has(endpoint);
  });
}

/** Whether these changes may have left stale clients behind. */
export function mayStrandClients(changes: readonly FrontendChange[]): boolean {
  return changes.some(({ before, after }) => {
    if (before?.affinitySeconds === undefined) return false;
    if (after?.affinitySeconds === undefined) return true;
    return !endpointsBehind(before).isSubsetOf(endpointsBehind(after));
  });
}
