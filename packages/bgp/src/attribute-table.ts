/**
 * Path attributes as a table of rows (RFC 4271 section 5). A row says how its value is parsed and composed, which flags it carries and
 * what a malformed value leads to. RFC 7606 knows three outcomes, and each row names its own:
 *
 * - `discard`: drop the attribute, keep the route;
 * - `withdraw`: treat the routes of the UPDATE as withdrawn;
 * - `reset`: end the session, because what the UPDATE says cannot be known.
 *
 * Adding an attribute is a line in AttributeValues and a row here.
 */
import { type ByteReader, type ByteWriter, ipFromBytes, ipToBytes } from '@ballast/base';
import {
  type Aggregator,
  type AsPathSegment,
  type AttributeName,
  type MpReach,
  type MpUnreach,
  ORIGINS,
  type PathAttributes,
} from './attributes.ts';
import { type AfiSafi, familyOf, ipVersionOf } from './family.ts';
import { composePrefix, parsePrefixes } from './prefix-codec.ts';

export const FLAG_OPTIONAL = 0x80;
export const FLAG_TRANSITIVE = 0x40;
export const FLAG_PARTIAL = 0x20;
export const FLAG_EXTENDED_LENGTH = 0x10;

/** What the session says about encodings. */
export interface AttributeContext {
  /** Both sides announced 4-octet AS numbers (RFC 6793). */
  readonly fourOctetAs: boolean;
  /** The peer is in our own AS. */
  readonly internal: boolean;
}

export type MalformedOutcome = 'discard' | 'withdraw' | 'reset';

export interface AttributeRow {
  readonly code: number;
  readonly name: AttributeName;
  readonly flags: number;
  readonly malformed: MalformedOutcome;
  /** Ignored when an external peer sends it (RFC 7606 section 7.5, 7.9, 7.10). */
  readonly internalOnly: boolean;
  readonly parseInto: (reader: ByteReader, context: AttributeContext, into: PathAttributes) => void;
  /** Undefined when `from` lacks the attribute. */
  readonly composer: (from: PathAttributes) => ((writer: ByteWriter, context: AttributeContext) => void) | undefined;
}

function row<Name extends AttributeName>(definition: {
  readonly code: number;
  readonly name: Name;
  readonly flags: number;
  readonly malformed: MalformedOutcome;
  readonly internalOnly?: boolean;
  readonly parse: (reader: ByteReader, context: AttributeContext) => NonNullable<PathAttributes[Name]>;
  readonly compose: (writer: ByteWriter, value: NonNullable<PathAttributes[Name]>, context: AttributeContext) => void;
}): AttributeRow {
  const { code, name, flags, malformed, internalOnly = false, parse, compose } = definition;
  return {
    code,
    name,
    flags,
    malformed,
    internalOnly,
    parseInto(reader, context, into) {
      const value = parse(reader, context);
      if (!reader.isAtEnd) throw new RangeError(`${reader.remaining} bytes too many`);
      into[name] = value;
    },
    composer(from) {
      const value = from[name];
      return value === undefined ? undefined : (writer, context) => compose(writer, value, context);
    },
  };
}

const WELL_KNOWN = FLAG_TRANSITIVE;
const OPTIONAL = FLAG_OPTIONAL;
const OPTIONAL_TRANSITIVE = FLAG_OPTIONAL | FLAG_TRANSITIVE;

/** In the order in which they are composed: by code, as RFC 4271 section 5 recommends. */
export const ATTRIBUTE_ROWS: readonly AttributeRow[] = [
  row({
    code: 1,
    name: 'origin',
    flags: WELL_KNOWN,
    malformed: 'withdraw',
    parse(reader) {
      const origin = ORIGINS[reader.u8()];
      if (!origin) throw new RangeError('ORIGIN is neither 0, 1 nor 2');
      return origin;
    },
    compose: (writer, origin) => writer.u8(ORIGINS.indexOf(origin)),
  }),
  row({
    code: 2,
    name: 'asPath',
    flags: WELL_KNOWN,
    malformed: 'withdraw',
    parse: (reader, context) => parseAsPath(reader, context.fourOctetAs ? 4 : 2),
    compose: (writer, path, context) => composeAsPath(writer, path, context.fourOctetAs ? 4 : 2),
  }),
  row({
    code: 3,
    name: 'nextHop',
    flags: WELL_KNOWN,
    malformed: 'withdraw',
    parse: (reader) => ipFromBytes(reader.bytes(4)),
    compose: (writer, ip) => writer.bytes(ipToBytes(ip)),
  }),
  row({ code: 4, name: 'med', flags: OPTIONAL, malformed: 'withdraw', parse: parseU32, compose: composeU32 }),
  row({
    code: 5,
    name: 'localPref',
    flags: WELL_KNOWN,
    malformed: 'withdraw',
    internalOnly: true,
    parse: parseU32,
    compose: composeU32,
  }),
  row({
    code: 6,
    name: 'atomicAggregate',
    flags: WELL_KNOWN,
    malformed: 'discard',
    parse: () => true,
    compose: () => {},
  }),
  row({
    code: 7,
    name: 'aggregator',
    flags: OPTIONAL_TRANSITIVE,
    malformed: 'discard',
    parse: (reader, context) => parseAggregator(reader, context.fourOctetAs ? 4 : 2),
    compose: (writer, value, context) => composeAggregator(writer, value, context.fourOctetAs ? 4 : 2),
  }),
  row({
    code: 8,
    name: 'communities',
    flags: OPTIONAL_TRANSITIVE,
    malformed: 'withdraw',
    parse: (reader) => parseMany(reader, () => reader.u32()),
    compose: (writer, communities) => {
      for (const community of communities) writer.u32(community);
    },
  }),
  row({
    code: 9,
    name: 'originatorId',
    flags: OPTIONAL,
    malformed: 'withdraw',
    internalOnly: true,
    parse: (reader) => ipFromBytes(reader.bytes(4)),
    compose: (writer, ip) => writer.bytes(ipToBytes(ip)),
  }),
  row({
    code: 10,
    name: 'clusterList',
    flags: OPTIONAL,
    malformed: 'withdraw',
    internalOnly: true,
    parse: (reader) => parseMany(reader, () => ipFromBytes(reader.bytes(4))),
    compose: (writer, ids) => {
      for (const id of ids) writer.bytes(ipToBytes(id));
    },
  }),
  row({ code: 14, name: 'mpReach', flags: OPTIONAL, malformed: 'reset', parse: parseMpReach, compose: composeMpReach }),
  row({
    code: 15,
    name: 'mpUnreach',
    flags: OPTIONAL,
    malformed: 'reset',
    parse: parseMpUnreach,
    compose: composeMpUnreach,
  }),
  row({
    code: 16,
    name: 'extendedCommunities',
    flags: OPTIONAL_TRANSITIVE,
    malformed: 'withdraw',
    parse: (reader) => parseMany(reader, () => reader.u64()),
    compose: (writer, values) => {
      for (const value of values) writer.u64(value);
    },
  }),
  row({
    code: 17,
    name: 'as4Path',
    flags: OPTIONAL_TRANSITIVE,
    malformed: 'discard',
    parse: (reader) => parseAsPath(reader, 4),
    compose: (writer, path) => composeAsPath(writer, path, 4),
  }),
  row({
    code: 18,
    name: 'as4Aggregator',
    flags: OPTIONAL_TRANSITIVE,
    malformed: 'discard',
    parse: (reader) => parseAggregator(reader, 4),
    compose: (writer, value) => composeAggregator(writer, value, 4),
  }),
  row({
    code: 32,
    name: 'largeCommunities',
    flags: OPTIONAL_TRANSITIVE,
    malformed: 'withdraw',
    parse: (reader) =>
      parseMany(reader, () => ({
        globalAdministrator: reader.u32(),
        localData1: reader.u32(),
        localData2: reader.u32(),
      })),
    compose: (writer, values) => {
      for (const value of values) writer.u32(value.globalAdministrator).u32(value.localData1).u32(value.localData2);
    },
  }),
];

export const ROW_BY_CODE: ReadonlyMap<number, AttributeRow> = new Map(
  ATTRIBUTE_ROWS.map((entry) => [entry.code, entry]),
);

function parseU32(reader: ByteReader): number {
  return reader.u32();
}

function composeU32(writer: ByteWriter, value: number): void {
  writer.u32(value);
}

/** Lists must not be empty (RFC 7606 section 7). */
function parseMany<T>(reader: ByteReader, parse: () => T): T[] {
  if (reader.isAtEnd) throw new RangeError('the list is empty');
  const values: T[] = [];
  while (!reader.isAtEnd) values.push(parse());
  return values;
}

const SEGMENT_TYPES: readonly (AsPathSegment['type'] | undefined)[] = [
  undefined,
  'set',
  'sequence',
  'confed-sequence',
  'confed-set',
];

function parseAsPath(reader: ByteReader, asnBytes: 2 | 4): AsPathSegment[] {
  const segments: AsPathSegment[] = [];
  while (!reader.isAtEnd) {
    const type = SEGMENT_TYPES[reader.u8()];
    const count = reader.u8();
    if (!type || count === 0) throw new RangeError('an AS path segment has a bad type or no AS');
    segments.push({ type, asns: Array.from({ length: count }, () => (asnBytes === 4 ? reader.u32() : reader.u16())) });
  }
  return segments;
}

/** Stands for an AS number that does not fit in two octets (RFC 6793). */
export const AS_TRANS = 23456;

function composeAsPath(writer: ByteWriter, path: readonly AsPathSegment[], asnBytes: 2 | 4): void {
  for (const { type, asns } of path) {
    writer.u8(SEGMENT_TYPES.indexOf(type)).u8(asns.length);
    for (const asn of asns) {
      if (asnBytes === 4) writer.u32(asn);
      else writer.u16(asn > 0xffff ? AS_TRANS : asn);
    }
  }
}

function parseAggregator(reader: ByteReader, asnBytes: 2 | 4): Aggregator {
  return { asn: asnBytes === 4 ? reader.u32() : reader.u16(), address: ipFromBytes(reader.bytes(4)) };
}

function composeAggregator(writer: ByteWriter, { asn, address }: Aggregator, asnBytes: 2 | 4): void {
  if (asnBytes === 4) writer.u32(asn);
  else writer.u16(asn > 0xffff ? AS_TRANS : asn);
  writer.bytes(ipToBytes(address));
}

function parseAfiSafi(reader: ByteReader): AfiSafi {
  return { afi: reader.u16(), safi: reader.u8() };
}

function parseMpReach(reader: ByteReader): MpReach {
  const afiSafi = parseAfiSafi(reader);
  const nextHopReader = reader.sub(reader.u8());
  reader.skip(1);
  const family = familyOf(afiSafi);
  if (!family) {
    reader.rest();
    return { ...afiSafi, nextHops: [], prefixes: [] };
  }
  const size = nextHopReader.length % 16 === 0 ? 16 : 4;
  const nextHops = parseMany(nextHopReader, () => ipFromBytes(nextHopReader.bytes(size)));
  if (nextHops.length > 2) throw new RangeError('more than two next hops');
  return { ...afiSafi, nextHops, prefixes: parsePrefixes(reader, ipVersionOf(family)) };
}

function composeMpReach(writer: ByteWriter, { afi, safi, nextHops, prefixes }: MpReach): void {
  writer.u16(afi).u8(safi);
  writer.lengthPrefixed(1, () => {
    for (const nextHop of nextHops) writer.bytes(ipToBytes(nextHop));
  });
  writer.u8(0);
  for (const prefix of prefixes) composePrefix(writer, prefix);
}

function parseMpUnreach(reader: ByteReader): MpUnreach {
  const afiSafi = parseAfiSafi(reader);
  const family = familyOf(afiSafi);
  if (family) return { ...afiSafi, prefixes: parsePrefixes(reader, ipVersionOf(family)) };
  reader.rest();
  return { ...afiSafi, prefixes: [] };
}

function composeMpUnreach(writer: ByteWriter, { afi, safi, prefixes }: MpUnreach): void {
  writer.u16(afi).u8(safi);
  for (const prefix of prefixes) composePrefix(writer, prefix);
}
