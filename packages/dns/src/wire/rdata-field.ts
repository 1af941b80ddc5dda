import { type ByteReader, type ByteWriter, formatIp, ipFromBytes, ipToBytes, parseIp } from '@ballast/base';
import { composeName, type Name, type NameOffsets, parseName, parseNameText } from './name.ts';
import { typeByName, typeName } from './registry.ts';
import { wireError } from './wire-error.ts';

/** The words of one record in a zone file, read from left to right. */
export class WordReader {
  readonly #words: readonly string[];
  readonly #origin: Name;
  #at = 0;

  constructor(words: readonly string[], origin: Name = '.') {
    this.#words = words;
    this.#origin = origin;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#words.length;
  }

  next(what: string): string {
    const word = this.#words[this.#at];
    if (word === undefined) throw wireError('dns-rdata', `${what} is missing`);
    this.#at += 1;
    return word;
  }

  rest(): string[] {
    const rest = this.#words.slice(this.#at);
    this.#at = this.#words.length;
    return rest;
  }

  /** A name; without a final dot it is relative to the origin, and '@' is the origin. */
  name(what: string): Name {
    const word = this.next(what);
    if (word === '@') return this.#origin;
    const relative = !word.endsWith('.') && this.#origin !== '.';
    const name = parseNameText(relative ? `${word}.${this.#origin}` : word);
    if (name === undefined) throw wireError('dns-rdata', `${what}: "${word}" is not a domain name`);
    return name;
  }
}

/** One field of record data in its four forms: parse and compose are bytes, scan and format are zone file text. */
export interface Field<T> {
  /** `end` is where the record data ends; the reader spans the whole message. */
  parse(reader: ByteReader, end: number): T;
  compose(writer: ByteWriter, value: T, offsets: NameOffsets | undefined): void;
  format(value: T): string;
  scan(words: WordReader, what: string): T;
}

function integer(bits: 8 | 16 | 32): Field<number> {
  const max = 2 ** bits - 1;
  return {
    parse: (reader) => (bits === 8 ? reader.u8() : bits === 16 ? reader.u16() : reader.u32()),
    compose: (writer, value) => {
      if (bits === 8) writer.u8(value);
      else if (bits === 16) writer.u16(value);
      else writer.u32(value);
    },
    format: String,
    scan: (words, what) => {
      const word = words.next(what);
      if (!/^[0-9]+$/.test(word) || Number(word) > max)
        throw wireError('dns-rdata', `${what}: "${word}" is not a number from 0 to ${max}`);
      return Number(word);
    },
  };
}

export const u8 = integer(8);
export const u16 = integer(16);
export const u32 = integer(32);

/** A name that may be compressed: only those of RFC 1035 (RFC 3597, section 4). */
export const compressedName: Field<Name> = {
  parse: (reader) => parseName(reader),
  compose: (writer, value, offsets) => composeName(writer, value, offsets),
  format: (value) => value,
  scan: (words, what) => words.name(what),
};

/** A name that is never written compressed; read leniently, as RFC 3597, section 4 asks for. */
export const plainName: Field<Name> = {
  ...compressedName,
  compose: (writer, value) => composeName(writer, value),
};

export const ipv4: Field<string> = {
  parse: (reader) => `${reader.u8()}.${reader.u8()}.${reader.u8()}.${reader.u8()}`,
  compose: (writer, value) => {
    const octets = value.split('.');
    if (octets.length !== 4) throw wireError('dns-rdata', `"${value}" is not an IPv4 address`);
    for (const octet of octets) writer.u8(Number(octet));
  },
  format: (value) => value,
  scan: (words, what) => scanAddress(words.next(what), 4),
};

export const ipv6: Field<string> = {
  parse: (reader) => formatIp(ipFromBytes(reader.bytes(16))),
  compose: (writer, value) => {
    const ip = parseIp(value);
    if (ip?.family !== 6) throw wireError('dns-rdata', `"${value}" is not an IPv6 address`);
    writer.bytes(ipToBytes(ip));
  },
  format: (value) => value,
  scan: (words, what) => scanAddress(words.next(what), 6),
};

function scanAddress(word: string, family: 4 | 6): string {
  const ip = parseIp(word);
  if (ip?.family !== family) throw wireError('dns-rdata', `"${word}" is not an IPv${family} address`);
  return formatIp(ip);
}

const printable = /[^ -!#-[\]-~]/g;

/** Text in quotes with `\DDD` escapes. A character string is octets: one char of the JavaScript string each. */
function quote(text: string): string {
  const inner = text.replace(printable, (char) =>
    char === '"' || char === '\\' ? `\\${char}` : `\\${String(char.charCodeAt(0)).padStart(3, '0')}`,
  );
  return `"${inner}"`;
}

function parseCharacterString(reader: ByteReader): string {
  return Buffer.from(reader.bytes(reader.u8())).toString('latin1');
}

function composeCharacterString(writer: ByteWriter, value: string): void {
  const bytes = Buffer.from(value, 'latin1');
  if (bytes.length > 255) throw wireError('dns-rdata', `a character string of ${bytes.length} octets is over 255`);
  writer.u8(bytes.length).bytes(bytes);
}

/** <character-string> of RFC 1035: up to 255 octets, each one char of the JavaScript string. */
export const characterString: Field<string> = {
  parse: (reader) => parseCharacterString(reader),
  compose: composeCharacterString,
  format: quote,
  scan: (words, what) => words.next(what),
};

/** One or more character strings up to the end of the data. */
export const characterStrings: Field<readonly string[]> = {
  parse: (reader, end) => {
    const texts: string[] = [];
    while (reader.offset < end) texts.push(parseCharacterString(reader));
    return texts;
  },
  compose: (writer, value) => {
    for (const text of value) composeCharacterString(writer, text);
  },
  format: (value) => value.map(quote).join(' '),
  scan: (words, what) => {
    const texts = words.rest();
    if (texts.length === 0) throw wireError('dns-rdata', `${what} is missing`);
    return texts;
  },
};

/** Octets up to the end of the data. */
function octets(encoding: 'hex' | 'base64'): Field<Uint8Array> {
  return {
    parse: (reader, end) => {
      if (end < reader.offset) throw wireError('dns-rdata', 'record data is shorter than its fields');
      return Uint8Array.from(reader.bytes(end - reader.offset));
    },
    compose: (writer, value) => {
      writer.bytes(value);
    },
    format: (value) => Buffer.from(value).toString(encoding),
    scan: (words, what) => {
      const text = words.rest().join('');
      const bytes = Buffer.from(text, encoding);
      const expected = encoding === 'hex' ? text.length / 2 : Math.floor((text.replace(/=+$/, '').length * 3) / 4);
      if (bytes.length !== expected) throw wireError('dns-rdata', `${what} is not ${encoding}`);
      return Uint8Array.from(bytes);
    },
  };
}

export const hex = octets('hex');
export const base64 = octets('base64');

/** CAA's value: text without a length up to the end of the data (RFC 8659, section 4.1). */
export const restAsText: Field<string> = {
  parse: (reader, end) => Buffer.from(hex.parse(reader, end)).toString('latin1'),
  compose: (writer, value) => {
    writer.bytes(Buffer.from(value, 'latin1'));
  },
  format: quote,
  scan: (words, what) => words.next(what),
};

/** A record type by its mnemonic (RRSIG's type covered). */
export const recordType: Field<number> = {
  ...u16,
  format: typeName,
  scan: (words, what) => {
    const word = words.next(what);
    const type = typeByName(word);
    if (type === undefined) throw wireError('dns-rdata', `${what}: "${word}" is not a record type`);
    return type;
  },
};
