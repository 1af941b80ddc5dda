import { makeRecord, type ResourceRecord } from '../../wire/message.ts';
import type { Name } from '../../wire/name.ts';
import { addressRecord } from './lookup.ts';
import type { ServiceIndex } from './service-index.ts';

/** The SOA's own TTL is capped, whatever the records' TTL: it governs how long a denial lives (RFC 2308, section 5). */
const MAX_SOA_TTL = 300;
const DNS_PORT = 53;

/** The start of authority of a cluster zone; the serial is the Unix second of the last change that DNS could show. */
export function soaRecord(zone: Name, { ttl, serial }: { ttl: number; serial: number }): ResourceRecord {
  const below = zone === '.' ? '' : zone;
  return makeRecord(
    'SOA',
    { name: zone, ttl: Math.min(ttl, MAX_SOA_TTL) },
    {
      mname: `ns.dns.${below}`,
      rname: `hostmaster.${below}`,
      serial: serial >>> 0,
      refresh: 7200,
      retry: 1800,
      expire: 86_400,
      minimum: ttl,
    },
  );
}

/**
 * The zone's name servers with their addresses: the DNS Services that have this machine among their endpoints, else `ns.dns` with the
 * machine's own addresses.
 */
export function nameServers(
  zone: Name,
  options: { index: ServiceIndex; localAddresses: readonly string[]; ttl: number },
): { readonly answers: readonly ResourceRecord[]; readonly additionals: readonly ResourceRecord[] } {
  const { index, localAddresses, ttl } = options;
  const below = zone === '.' ? '' : zone;
  const addressesOf = new Map<Name, readonly string[]>();
  for (const { namespace, name } of localAddresses.flatMap((address) => index.endpointsAt(address))) {
    const service = index.service(namespace, name);
    // Other Services run on a node's address too; only one that offers port 53 can be a name server.
    if (!service?.ports.some(({ port }) => port === DNS_PORT)) continue;
    addressesOf.set(`${name}.${namespace}.svc.${below}`, service.isHeadless ? localAddresses : service.clusterIps);
  }
  if (addressesOf.size === 0) addressesOf.set(`ns.dns.${below}`, localAddresses);
  return {
    answers: [...addressesOf.keys()].map((target) => makeRecord('NS', { name: zone, ttl }, { target })),
    additionals: [...addressesOf].flatMap(([name, addresses]) =>
      addresses.map((address) => addressRecord({ name, ttl }, address)),
    ),
  };
}
