import { ByteReader, ByteWriter, type Cidr } from '@ballast/base';
import {
  ATTRIBUTE_ROWS,
  type AttributeContext,
  FLAG_EXTENDED_LENGTH,
  FLAG_OPTIONAL,
  FLAG_PARTIAL,
  FLAG_TRANSITIVE,
  ROW_BY_CODE,
} from './attribute-table.ts';
import type { PathAttributes, UnknownAttribute } from './attributes.ts';
import { BgpError, type Family, familyOf } from './family.ts';
import { composePrefix, parsePrefixes } from './prefix-codec.ts';

/** The body of an UPDATE message (RFC 4271 section 4.3). */
export interface Update {
  readonly withdrawn: readonly Cidr[];
  readonly attributes: PathAttributes;
  readonly announced: readonly Cidr[];
}

/** An UPDATE as received, with what RFC 7606 makes of its faults. */
export interface ParsedUpdate extends Update {
  /** The announced routes (also those in MP_REACH_NLRI) must be handled as withdrawn. */
  readonly treatAsWithdraw: boolean;
  /** One text per fault, for the log. */
  readonly faults: readonly string[];
  /** Set when the message is an End-of-RIB marker (RFC 4724 section 2). */
  readonly endOfRib: Family | undefined;
}

/** Parses the body of an UPDATE. Throws BgpError when the session must be reset. */
export function parseUpdate(reader: ByteReader, context: AttributeContext): ParsedUpdate {
  let withdrawnReader: ByteReader;
  let attributeReader: ByteReader;
  try {
    withdrawnReader = reader.sub(reader.u16());
    attributeReader = reader.sub(reader.u16());
  } catch {
    throw new BgpError('update-message', 1, 'the lengths inside an UPDATE exceed the message');
  }
  const withdrawn = parseNetworks(withdrawnReader);
  const parsed = parseAttributes(attributeReader, context);
  const announced = parseNetworks(new ByteReader(reader.rest()));
  const { attributes, faults } = parsed;
  let { treatAsWithdraw } = parsed;

  const reaches = announced.length > 0 || (attributes.mpReach?.prefixes.length ?? 0) > 0;
  if (reaches && !treatAsWithdraw) {
    const missing = [
      attributes.origin === undefined && 'ORIGIN',
      attributes.asPath === undefined && 'AS_PATH',
      announced.length > 0 && attributes.nextHop === undefined && 'NEXT_HOP',
      context.internal && attributes.localPref === undefined && 'LOCAL_PREF',
    ].filter((name) => name !== false);
    if (missing.length > 0) {
      treatAsWithdraw = true;
      faults.push(`${missing.join(', ')} missing`);
    }
  }
  return {
    withdrawn,
    attributes,
    announced,
    treatAsWithdraw,
    faults,
    endOfRib: endOfRibOf(withdrawn, announced, attributes),
  };
}

function parseNetworks(reader: ByteReader): Cidr[] {
  try {
    return parsePrefixes(reader, 4);
  } catch {
    throw new BgpError('update-message', 10, 'a prefix is malformed');
  }
}

function endOfRibOf(
  withdrawn: readonly Cidr[],
  announced: readonly Cidr[],
  attributes: PathAttributes,
): Family | undefined {
  if (withdrawn.length > 0 || announced.length > 0) return undefined;
  const names = Object.keys(attributes);
  if (names.length === 0) return 'ipv4-unicast';
  const { mpUnreach } = attributes;
  return names.length === 1 && mpUnreach?.prefixes.length === 0 ? familyOf(mpUnreach) : undefined;
}

function parseAttributes(
  reader: ByteReader,
  context: AttributeContext,
): { attributes: PathAttributes; treatAsWithdraw: boolean; faults: string[] } {
  const attributes: PathAttributes = {};
  const unknown: UnknownAttribute[] = [];
  const faults: string[] = [];
  const seen = new Set<number>();
  let treatAsWithdraw = false;

  while (!reader.isAtEnd) {
    let flags: number;
    let code: number;
    let value: Uint8Array;
    try {
      flags = reader.u8();
      code = reader.u8();
      value = reader.bytes((flags & FLAG_EXTENDED_LENGTH) === 0 ? reader.u8() : reader.u16());
    } catch {
      // RFC 7606 section 4: an attribute past the end of the attributes.
      treatAsWithdraw = true;
      faults.push('an attribute is cut short');
      break;
    }
    const row = ROW_BY_CODE.get(code);
    if (seen.has(code)) {
      if (row?.malformed === 'reset') throw new BgpError('update-message', 1, `attribute ${code} occurs twice`);
      faults.push(`attribute ${code} occurs twice, the first counts`);
      continue;
    }
    seen.add(code);
    if (!row) {
      if ((flags & FLAG_OPTIONAL) === 0) {
        throw new BgpError(
          'update-message',
          2,
          `well-known attribute ${code} is not known`,
          attributeBytes(flags, code, value),
        );
      }
      unknown.push({ code, flags, value: Uint8Array.from(value) });
      continue;
    }
    if (row.internalOnly && !context.internal) {
      faults.push(`${row.name} from an external peer is ignored`);
      continue;
    }
    try {
      const mask = FLAG_OPTIONAL | FLAG_TRANSITIVE;
      if ((flags & mask) !== row.flags) throw new RangeError(`flags 0x${flags.toString(16)}`);
      row.parseInto(new ByteReader(value), context, attributes);
    } catch (error) {
      const why = `${row.name} is malformed: ${error instanceof Error ? error.message : String(error)}`;
      if (row.malformed === 'reset') throw new BgpError('update-message', 9, why, attributeBytes(flags, code, value));
      if (row.malformed === 'withdraw') treatAsWithdraw = true;
      faults.push(why);
    }
  }
  if (unknown.length > 0) attributes.unknown = unknown;
  return { attributes, treatAsWithdraw, faults };
}

function attributeBytes(flags: number, code: number, value: Uint8Array): Uint8Array {
  const writer = new ByteWriter();
  writeAttribute(writer, { flags, code, value });
  return writer.finish();
}

function writeAttribute(writer: ByteWriter, { flags, code, value }: UnknownAttribute): void {
  const long = value.length > 0xff;
  writer.u8(long ? flags | FLAG_EXTENDED_LENGTH : flags & ~FLAG_EXTENDED_LENGTH).u8(code);
  writer.lengthPrefixed(long ? 2 : 1, () => writer.bytes(value));
}

export function composeUpdate(writer: ByteWriter, update: Update, context: AttributeContext): void {
  writer.lengthPrefixed(2, () => {
    for (const prefix of update.withdrawn) composePrefix(writer, prefix);
  });
  writer.lengthPrefixed(2, () => writer.bytes(composeAttributes(update.attributes, context)));
  for (const prefix of update.announced) composePrefix(writer, prefix);
}

/** The attributes alone; the Adj-RIB-Out composes them once for many UPDATEs. */
export function composeAttributes(attributes: PathAttributes, context: AttributeContext): Uint8Array {
  const writer = new ByteWriter(256);
  for (const row of ATTRIBUTE_ROWS) {
    const compose = row.composer(attributes);
    if (!compose) continue;
    const value = new ByteWriter();
    compose(value, context);
    writeAttribute(writer, { flags: row.flags, code: row.code, value: value.finish() });
  }
  for (const attribute of attributes.unknown ?? []) {
    writeAttribute(writer, { ...attribute, flags: attribute.flags | FLAG_PARTIAL });
  }
  return writer.finish();
}
