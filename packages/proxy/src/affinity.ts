import { canonicalIp } from '@ballast/base';
import { endpointsBehind, type Frontend } from './frontend.ts';
import type { FrontendChange } from './ledger.ts';

/** A client of a frontend with ClientIP affinity, as the kernel remembers it. */
export interface RememberedClient {
  /** The element's key in nft's syntax. */
  readonly key: string;
  /** The frontend's key in the ledger. */
  readonly frontendKey: string;
  /** '10.42.0.7 . 8080' */
  readonly endpoint: string;
}

const PROTOCOL_NAMES: Readonly<Record<string, string>> = { '6': 'tcp', '17': 'udp', '132': 'sctp' };

/** Reads `nft -j list map ... affinity`. Elements of any other shape are left out. */
export function parseRememberedClients(json: string): RememberedClient[] {
  const document: unknown = json.trim() === '' ? {} : JSON.parse(json);
  const entries = arrayOf(fieldOf(document, 'nftables')).flatMap((item) =>
    arrayOf(fieldOf(fieldOf(item, 'map'), 'elem')),
  );
  return entries.flatMap((entry) => {
    const [left, right] = arrayOf(entry);
    const key = arrayOf(fieldOf(fieldOf(fieldOf(left, 'elem'), 'val') ?? left, 'concat')).map(String);
    const endpoint = arrayOf(fieldOf(right, 'concat')).map(String);
    const [client = '', address = '', number = '', port = ''] = key;
    const protocol = PROTOCOL_NAMES[number] ?? number;
    const destination = canonicalIp(address);
    if (key.length !== 4 || endpoint.length !== 2 || destination === undefined) return [];
    return [
      {
        key: `${client} . ${destination} . ${protocol} . ${port}`,
        frontendKey: `${destination} ${protocol} ${port}`,
        endpoint: `${canonicalIp(endpoint[0] ?? '') ?? ''} . ${endpoint[1]}`,
      },
    ];
  });
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

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function arrayOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
