import { ByteReader, ByteWriter } from '@ballast/base';
import type { Edns, EdnsOption, Message, Question, ResourceRecord } from './message.ts';
import { composeName, type NameOffsets, parseName } from './name.ts';
import { composeRdata, parseRdata } from './rdata.ts';
import { TYPE } from './registry.ts';
import { wireError } from './wire-error.ts';

/** RFC 1035, section 4.1.1. */
export const HEADER_OCTETS = 12;
const FLAG_QR = 0x8000;
const FLAG_AA = 0x0400;
const FLAG_TC = 0x0200;
const FLAG_RD = 0x0100;
const FLAG_RA = 0x0080;
const FLAG_AD = 0x0020;
const FLAG_CD = 0x0010;
const EDNS_DO = 0x8000;

/**
 * Reads a whole message. Anything that does not fit is an error with a code ('dns-…' or 'bytes-…'); octets after the last record are
 * ignored, as other servers do. No input makes it loop or read outside of `bytes`.
 *
 *     +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
 *     |                      ID                       |
 *     |QR|   Opcode  |AA|TC|RD|RA| Z|AD|CD|   RCODE   |
 *     |     QDCOUNT, ANCOUNT, NSCOUNT, ARCOUNT        |
 *     +--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+--+
 */
export function parseMessage(bytes: Uint8Array): Message {
  const reader = new ByteReader(bytes);
  const id = reader.u16();
  const flags = reader.u16();
  const [questionCount, answerCount, authorityCount, additionalCount] = [
    reader.u16(),
    reader.u16(),
    reader.u16(),
    reader.u16(),
  ];
  const questions: Question[] = [];
  for (let i = 0; i < questionCount; i++) {
    questions.push({ name: parseName(reader), type: reader.u16(), class: reader.u16() });
  }
  const answers = parseRecords(reader, answerCount);
  const authorities = parseRecords(reader, authorityCount);
  const { records: additionals, edns } = parseAdditionals(reader, additionalCount);
  return {
    id,
    response: (flags & FLAG_QR) !== 0,
    opcode: (flags >>> 11) & 0xf,
    authoritative: (flags & FLAG_AA) !== 0,
    truncated: (flags & FLAG_TC) !== 0,
    recursionDesired: (flags & FLAG_RD) !== 0,
    recursionAvailable: (flags & FLAG_RA) !== 0,
    authenticData: (flags & FLAG_AD) !== 0,
    checkingDisabled: (flags & FLAG_CD) !== 0,
    rcode: (flags & 0xf) | ((edns?.extendedRcode ?? 0) << 4),
    questions,
    answers,
    authorities,
    additionals,
    ...(edns ? { edns: edns.edns } : {}),
  };
}

function parseRecords(reader: ByteReader, count: number): ResourceRecord[] {
  const records: ResourceRecord[] = [];
  for (let i = 0; i < count; i++) {
    const name = parseName(reader);
    const type = reader.u16();
    if (type === TYPE.OPT) throw wireError('dns-message', 'OPT outside of the additional section (RFC 6891, 6.1.1)');
    records.push(parseRecordAfterType(reader, { name, type }));
  }
  return records;
}

function parseRecordAfterType(reader: ByteReader, { name, type }: { name: string; type: number }): ResourceRecord {
  const recordClass = reader.u16();
  const ttl = reader.u32();
  const length = reader.u16();
  // A TTL with the top bit set counts as zero (RFC 2181, section 8).
  return { name, type, class: recordClass, ttl: ttl > 0x7fff_ffff ? 0 : ttl, data: parseRdata(type, reader, length) };
}

function parseAdditionals(reader: ByteReader, count: number) {
  const records: ResourceRecord[] = [];
  let edns: { edns: Edns; extendedRcode: number } | undefined;
  for (let i = 0; i < count; i++) {
    const name = parseName(reader);
    const type = reader.u16();
    if (type !== TYPE.OPT) {
      records.push(parseRecordAfterType(reader, { name, type }));
      continue;
    }
    if (edns || name !== '.') throw wireError('dns-message', 'OPT must occur once, at the root (RFC 6891, 6.1.1)');
    const udpSize = reader.u16();
    const extendedRcode = reader.u8();
    const version = reader.u8();
    const dnssecOk = (reader.u16() & EDNS_DO) !== 0;
    edns = { edns: { udpSize, version, dnssecOk, options: parseOptions(reader.sub(reader.u16())) }, extendedRcode };
  }
  return { records, edns };
}

function parseOptions(reader: ByteReader): EdnsOption[] {
  const options: EdnsOption[] = [];
  while (!reader.isAtEnd) options.push({ code: reader.u16(), octets: Uint8Array.from(reader.bytes(reader.u16())) });
  return options;
}

/** The bytes of a message, with compressed names. Throws when it holds what cannot be written (a name or text that is too long). */
export function composeMessage(message: Message): Uint8Array {
  return composeRecords(message, {
    answers: message.answers.length,
    authorities: message.authorities.length,
    additionals: message.additionals.length,
  }).bytes;
}

interface SectionCounts {
  readonly answers: number;
  readonly authorities: number;
  readonly additionals: number;
}

/**
 * The bytes of a message in at most `limit` octets: what does not fit is cut at a record boundary from the end (additional, authority,
 * then answer), and TC is set (RFC 2181, section 9). OPT stays.
 */
export function composeWithin(message: Message, limit: number): Uint8Array {
  const all = {
    answers: message.answers.length,
    authorities: message.authorities.length,
    additionals: message.additionals.length,
  };
  const { bytes, ends, optOctets } = composeRecords(message, all);
  if (bytes.length <= limit) return bytes;
  // Names are only ever compressed backwards, so the first n records take the same octets when fewer follow.
  const fitting = ends.filter((end) => end + optOctets <= limit).length;
  const answers = Math.min(all.answers, fitting);
  const authorities = Math.min(all.authorities, fitting - answers);
  const kept = { answers, authorities, additionals: fitting - answers - authorities };
  return composeRecords({ ...message, truncated: true }, kept).bytes;
}

function composeRecords(message: Message, counts: SectionCounts) {
  const writer = new ByteWriter(512);
  const offsets: NameOffsets = new Map();
  const edns = message.edns;
  writer.u16(message.id).u16(flagsOf(message)).u16(message.questions.length);
  writer.u16(counts.answers).u16(counts.authorities);
  writer.u16(counts.additionals + (edns ? 1 : 0));
  for (const question of message.questions) {
    composeName(writer, question.name, offsets);
    writer.u16(question.type).u16(question.class);
  }
  const ends: number[] = [];
  for (const [section, count] of [
    [message.answers, counts.answers],
    [message.authorities, counts.authorities],
    [message.additionals, counts.additionals],
  ] as const) {
    for (let i = 0; i < count; i++) {
      const record = section[i];
      if (record) composeRecord(writer, record, offsets);
      ends.push(writer.length);
    }
  }
  const optStart = writer.length;
  if (edns) composeOpt(writer, edns, message.rcode);
  return { bytes: writer.finish(), ends, optOctets: writer.length - optStart };
}

function composeRecord(writer: ByteWriter, record: ResourceRecord, offsets: NameOffsets): void {
  composeName(writer, record.name, offsets);
  writer.u16(record.type).u16(record.class).u32(record.ttl);
  writer.lengthPrefixed(2, () => composeRdata(record.type, writer, record.data, offsets));
}

function composeOpt(writer: ByteWriter, edns: Edns, rcode: number): void {
  writer.u8(0).u16(TYPE.OPT).u16(edns.udpSize);
  writer.u8((rcode >>> 4) & 0xff).u8(edns.version);
  writer.u16(edns.dnssecOk ? EDNS_DO : 0);
  writer.lengthPrefixed(2, () => {
    for (const { code, octets } of edns.options) writer.u16(code).u16(octets.length).bytes(octets);
  });
}

function flagsOf(message: Message): number {
  return (
    (message.response ? FLAG_QR : 0) |
    ((message.opcode & 0xf) << 11) |
    (message.authoritative ? FLAG_AA : 0) |
    (message.truncated ? FLAG_TC : 0) |
    (message.recursionDesired ? FLAG_RD : 0) |
    (message.recursionAvailable ? FLAG_RA : 0) |
    (message.authenticData ? FLAG_AD : 0) |
    (message.checkingDisabled ? FLAG_CD : 0) |
    (message.rcode & 0xf)
  );
}
