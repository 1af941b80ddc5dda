import { type Message, makeReply, type ResourceRecord } from '../wire/message.ts';
import { RCODE } from '../wire/registry.ts';

/** An authoritative "no such name" with the zone's SOA (RFC 2308, section 2.1). */
export function nxdomain(request: Message, soa: ResourceRecord): Message {
  return makeReply(request, { rcode: RCODE.NXDOMAIN, authoritative: true, authorities: [soa] });
}

/** An authoritative "the name exists, but not with that type" (RFC 2308, section 2.2). */
export function nodata(request: Message, soa: ResourceRecord): Message {
  return makeReply(request, { authoritative: true, authorities: [soa] });
}
