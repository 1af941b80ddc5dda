import type { ByteReader, ByteWriter } from '@ballast/base';
import type { NameOffsets } from './name.ts';
import {
  base64,
  characterString,
  characterStrings,
  compressedName,
  type Field,
  hex,
  ipv4,
  ipv6,
  plainName,
  recordType,
  restAsText,
  u8,
  u16,
  u32,
  WordReader,
} from './rdata-field.ts';
import { TYPE, type TypeName } from './registry.ts';
import { wireError } from './wire-error.ts';

/**
 * The layout of every record type that the server knows: its fields in wire order. A type that is not here, or that nothing needs to
 * look into (SVCB, NSEC), is carried as octets (RFC 3597). Adding a type is a row.
 */
const LAYOUTS = {
  A: { address: ipv4 }, // RFC 1035, 3.4.1
  NS: { target: compressedName },
  CNAME: { target: compressedName },
  SOA: {
    mname: compressedName,
    rname: compressedName,
    serial: u32,
    refresh: u32,
    retry: u32,
    expire: u32,
    minimum: u32,
  },
  PTR: { target: compressedName },
  HINFO: { cpu: characterString, os: characterString },
  MX: { preference: u16, exchange: compressedName },
  TXT: { texts: characterStrings },
  RP: { mailbox: plainName, text: plainName }, // RFC 1183
  AFSDB: { subtype: u16, host: plainName },
  AAAA: { address: ipv6 }, // RFC 3596
  SRV: { priority: u16, weight: u16, port: u16, target: plainName }, // RFC 2782
  NAPTR: {
    order: u16,
    preference: u16,
    flags: characterString,
    service: characterString,
    regexp: characterString,
    replacement: plainName,
  }, // RFC 3403
  DNAME: { target: plainName }, // RFC 6672
  DS: { keyTag: u16, algorithm: u8, digestType: u8, digest: hex }, // RFC 4034, 5
  SSHFP: { algorithm: u8, fingerprintType: u8, fingerprint: hex }, // RFC 4255
  RRSIG: {
    typeCovered: recordType,
    algorithm: u8,
    labels: u8,
    originalTtl: u32,
    expiration: u32,
    inception: u32,
    keyTag: u16,
    signer: plainName,
    signature: base64,
  }, // RFC 4034, 3
  DNSKEY: { flags: u16, protocol: u8, algorithm: u8, publicKey: base64 }, // RFC 4034, 2
  TLSA: { usage: u8, selector: u8, matchingType: u8, certificate: hex }, // RFC 6698
  CDS: { keyTag: u16, algorithm: u8, digestType: u8, digest: hex },
  CDNSKEY: { flags: u16, protocol: u8, algorithm: u8, publicKey: base64 },
  SPF: { texts: characterStrings },
  CAA: { flags: u8, tag: characterString, value: restAsText }, // RFC 8659
} as const satisfies Partial<Record<TypeName, Readonly<Record<string, unknown>>>>;

type Layouts = typeof LAYOUTS;
export type KnownKind = keyof Layouts;
type Values<L> = { readonly [F in keyof L]: L[F] extends Field<infer T> ? T : never };

/** Record data of one known type, for example `RdataOf<'SRV'>`. */
export type RdataOf<K extends KnownKind> = { readonly kind: K } & Values<Layouts[K]>;

/** Data of a type without a layout, as octets (RFC 3597). */
export interface OpaqueRdata {
  readonly kind: 'opaque';
  readonly octets: Uint8Array;
}

export type Rdata = { [K in KnownKind]: RdataOf<K> }[KnownKind] | OpaqueRdata;

interface LayoutRow {
  readonly kind: KnownKind;
  readonly fields: readonly (readonly [name: string, field: Field<unknown>])[];
}

// The one place where the layouts lose their static types; Values<L> above is what gives them back.
const ROWS: ReadonlyMap<number, LayoutRow> = new Map(
  Object.entries(LAYOUTS).map(([kind, layout]) => [
    TYPE[kind as KnownKind],
    { kind: kind as KnownKind, fields: Object.entries(layout) as [string, Field<unknown>][] },
  ]),
);

/** Reads `length` octets of record data; every field must end exactly there. */
export function parseRdata(type: number, reader: ByteReader, length: number): Rdata {
  const end = reader.offset + length;
  const row = ROWS.get(type);
  // Updates and queries for a type may carry no data at all (RFC 2136, section 2.4).
  if (!row || length === 0) return { kind: 'opaque', octets: Uint8Array.from(reader.bytes(length)) };
  const data: Record<string, unknown> = { kind: row.kind };
  for (const [name, field] of row.fields) data[name] = field.parse(reader, end);
  if (reader.offset !== end) {
    throw wireError('dns-rdata', `${row.kind} data takes ${reader.offset - end + length} octets, not ${length}`);
  }
  return data as unknown as Rdata;
}

/** Writes record data without its length. `offsets` turns name compression on. */
export function composeRdata(type: number, writer: ByteWriter, data: Rdata, offsets?: NameOffsets): void {
  if (data.kind === 'opaque') {
    writer.bytes(data.octets);
    return;
  }
  const row = ROWS.get(type);
  if (row?.kind !== data.kind) throw wireError('dns-rdata', `a record of type ${type} cannot hold ${data.kind} data`);
  const values: Readonly<Record<string, unknown>> = data;
  for (const [name, field] of row.fields) field.compose(writer, values[name], offsets);
}

/** The text of record data as in a zone file; opaque data in the form of RFC 3597, section 5. */
export function formatRdata(type: number, data: Rdata): string {
  if (data.kind === 'opaque') {
    const octets = Buffer.from(data.octets).toString('hex');
    return `\\# ${data.octets.length}${octets ? ` ${octets}` : ''}`;
  }
  const values: Readonly<Record<string, unknown>> = data;
  return (ROWS.get(type)?.fields ?? []).map(([name, field]) => field.format(values[name])).join(' ');
}

/** Reads record data from the words of a zone file; a wireError says which field is wrong. */
export function scanRdata(type: number, words: readonly string[], origin = '.'): Rdata {
  if (words[0] === '\\#') return scanOpaque(words.slice(1));
  const row = ROWS.get(type);
  if (!row) throw wireError('dns-rdata', `write data of type ${type} as "\\# LENGTH HEX" (RFC 3597)`);
  const reader = new WordReader(words, origin);
  const data: Record<string, unknown> = { kind: row.kind };
  for (const [name, field] of row.fields) data[name] = field.scan(reader, `${row.kind} ${name}`);
  if (!reader.isAtEnd) throw wireError('dns-rdata', `${row.kind} data has more words than fields`);
  return data as unknown as Rdata;
}

function scanOpaque(words: readonly string[]): OpaqueRdata {
  const octets = Buffer.from(words.slice(1).join(''), 'hex');
  if (octets.length !== Number(words[0])) throw wireError('dns-rdata', 'octets after "\\#" do not match their length');
  return { kind: 'opaque', octets: Uint8Array.from(octets) };
}
