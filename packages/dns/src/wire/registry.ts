/**
 * Numbers and their names from the IANA registry "Domain Name System (DNS) Parameters"
 * (https://www.iana.org/assignments/dns-parameters). A table maps a name to its number; the reverse is derived.
 */
export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  RP: 17,
  AFSDB: 18,
  AAAA: 28,
  SRV: 33,
  NAPTR: 35,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  SSHFP: 44,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  CDS: 59,
  CDNSKEY: 60,
  SVCB: 64,
  HTTPS: 65,
  SPF: 99,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
  CAA: 257,
} as const;

export type TypeName = keyof typeof TYPE;

export const CLASS = { IN: 1, CH: 3, HS: 4, NONE: 254, ANY: 255 } as const;

export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  YXDOMAIN: 6,
  YXRRSET: 7,
  NXRRSET: 8,
  NOTAUTH: 9,
  NOTZONE: 10,
  BADVERS: 16,
} as const;

export const OPCODE = { QUERY: 0, IQUERY: 1, STATUS: 2, NOTIFY: 4, UPDATE: 5 } as const;

/** EDNS option codes that the server looks at; others pass as bytes. */
export const EDNS_OPTION = {
  NSID: 3,
  SUBNET: 8,
  EXPIRE: 9,
  COOKIE: 10,
  TCP_KEEPALIVE: 11,
  PADDING: 12,
  EXTENDED_ERROR: 15,
} as const;

function reverse(table: Readonly<Record<string, number>>): ReadonlyMap<number, string> {
  return new Map(Object.entries(table).map(([name, code]) => [code, name]));
}

const TYPE_NAMES = reverse(TYPE);
const CLASS_NAMES = reverse(CLASS);
const RCODE_NAMES = reverse(RCODE);
const OPCODE_NAMES = reverse(OPCODE);

/** 'AAAA', or 'TYPE65280' for a type without a name (RFC 3597, section 5). */
export function typeName(code: number): string {
  return TYPE_NAMES.get(code) ?? `TYPE${code}`;
}

export function className(code: number): string {
  return CLASS_NAMES.get(code) ?? `CLASS${code}`;
}

export function rcodeName(code: number): string {
  return RCODE_NAMES.get(code) ?? `RCODE${code}`;
}

export function opcodeName(code: number): string {
  return OPCODE_NAMES.get(code) ?? `OPCODE${code}`;
}

function byName(table: Readonly<Record<string, number>>, prefix: string, text: string): number | undefined {
  const name = text.toUpperCase();
  if (Object.hasOwn(table, name)) return table[name];
  const digits = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  if (!/^[0-9]{1,5}$/.test(digits)) return undefined;
  const code = Number(digits);
  return code <= 0xffff ? code : undefined;
}

/** The number of 'AAAA', 'aaaa' or 'TYPE28'; undefined when it is none of these. */
export function typeByName(text: string): number | undefined {
  return byName(TYPE, 'TYPE', text);
}

export function classByName(text: string): number | undefined {
  return byName(CLASS, 'CLASS', text);
}

export function rcodeByName(text: string): number | undefined {
  return byName(RCODE, 'RCODE', text);
}
