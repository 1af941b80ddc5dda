import type { ByteReader, ByteWriter } from '@ballast/base';
import { wireError } from './wire-error.ts';

/**
 * A domain name in presentation form: absolute (ends in a dot; the root is '.'), with `\.`, `\\` and `\DDD` for octets that would be
 * misread (RFC 1035, section 5.1). All other octets of a Name are printable ASCII, so `toLowerCase` is the DNS case folding of RFC 4343.
 */
export type Name = string;

/** RFC 1035, section 2.3.4. */
export const MAX_LABEL_OCTETS = 63;
export const MAX_NAME_OCTETS = 255;

/** Compression pointers have 14 bits. */
const MAX_POINTER = 0x3fff;

/** Where each name suffix was written, for compression. */
export type NameOffsets = Map<Name, number>;

const ESCAPED = new Set([...'."();@$\\'].map((char) => char.charCodeAt(0)));

/** The text of each possible octet in a label. */
const OCTET_TEXT: readonly string[] = Array.from({ length: 256 }, (_, octet) => {
  if (octet <= 0x20 || octet >= 0x7f) return `\\${String(octet).padStart(3, '0')}`;
  const char = String.fromCharCode(octet);
  return ESCAPED.has(octet) ? `\\${char}` : char;
});

/**
 * Reads a name at the reader's place, following compression pointers (RFC 1035, section 4.1.4). A pointer must lead to before the part
 * it ends, so that no message can make this loop. `reader` must span the whole message.
 */
export function parseName(reader: ByteReader): Name {
  let text = '';
  let octets = 1;
  let resumeAt = -1;
  let partStart = reader.offset;
  for (;;) {
    const at = reader.offset;
    const length = reader.u8();
    if (length === 0) break;
    if (length > MAX_LABEL_OCTETS) {
      if (length < 0xc0) throw wireError('dns-name', `label type ${length >>> 6} at offset ${at} is not in use`);
      const target = ((length & 0x3f) << 8) | reader.u8();
      if (resumeAt < 0) resumeAt = reader.offset;
      if (target >= partStart) throw wireError('dns-name', `pointer at offset ${at} does not lead backwards`);
      reader.seek(target);
      partStart = target;
      continue;
    }
    octets += length + 1;
    if (octets > MAX_NAME_OCTETS) throw wireError('dns-name', `name at offset ${at} is longer than 255 octets`);
    for (const octet of reader.bytes(length)) text += OCTET_TEXT[octet];
    text += '.';
  }
  if (resumeAt >= 0) reader.seek(resumeAt);
  return text === '' ? '.' : text;
}

/** Writes a name; with `offsets`, as a pointer to an equal suffix written before (RFC 1035, section 4.1.4). */
export function composeName(writer: ByteWriter, name: Name, offsets?: NameOffsets): void {
  const suffixes = offsets ? suffixesOf(name) : undefined;
  for (const [i, label] of labelsOf(name).entries()) {
    const suffix = suffixes?.[i];
    if (offsets && suffix !== undefined) {
      const known = offsets.get(suffix);
      if (known !== undefined) {
        writer.u16(0xc000 | known);
        return;
      }
      if (writer.length <= MAX_POINTER) offsets.set(suffix, writer.length);
    }
    if (!label.includes('\\')) {
      writer.u8(label.length);
      for (let at = 0; at < label.length; at++) writer.u8(label.charCodeAt(at));
    } else {
      const bytes = labelOctets(label);
      writer.u8(bytes.length).bytes(Uint8Array.from(bytes));
    }
  }
  writer.u8(0);
}

/** The labels of a name, still escaped, without the root: 'a\.b.c.' gives ['a\.b', 'c']. */
export function labelsOf(name: Name): string[] {
  if (name === '.') return [];
  if (!name.includes('\\')) return name.slice(0, -1).split('.');
  const labels: string[] = [];
  let start = 0;
  for (let i = 0; i < name.length; i++) {
    if (name[i] === '\\') i++;
    else if (name[i] === '.') {
      labels.push(name.slice(start, i));
      start = i + 1;
    }
  }
  return labels;
}

/** The name itself and each of its ancestors but the root: 'a.b.' gives ['a.b.', 'b.']. */
export function suffixesOf(name: Name): Name[] {
  const suffixes: Name[] = [];
  for (let rest = name; rest !== '.'; rest = parentOf(rest)) suffixes.push(rest);
  return suffixes;
}

/** The name without its first label; the root is its own parent. */
export function parentOf(name: Name): Name {
  let i = 0;
  while (i < name.length && name[i] !== '.') i += name[i] === '\\' ? 2 : 1;
  return i + 1 >= name.length ? '.' : name.slice(i + 1);
}

/** True when `name` is `ancestor` or below it; both in lower case. */
export function isWithin(name: Name, ancestor: Name): boolean {
  if (ancestor === '.' || name === ancestor) return true;
  if (!name.endsWith(ancestor)) return false;
  const before = name.length - ancestor.length - 1;
  if (name[before] !== '.') return false;
  let backslashes = 0;
  while (name[before - 1 - backslashes] === '\\') backslashes++;
  return backslashes % 2 === 0;
}

/** Octets of one escaped label. */
function labelOctets(label: string): number[] {
  const octets: number[] = [];
  for (let i = 0; i < label.length; i++) {
    if (label[i] !== '\\') octets.push(label.charCodeAt(i));
    else if (/^[0-9]{3}$/.test(label.slice(i + 1, i + 4))) {
      octets.push(Number(label.slice(i + 1, i + 4)));
      i += 3;
    } else octets.push(label.charCodeAt(++i));
  }
  return octets;
}

/**
 * Reads what a person wrote as a domain name: adds the last dot, brings escapes into their one form. Undefined when a label is empty or
 * too long, the name is too long, or an escape is broken.
 */
export function parseNameText(text: string): Name | undefined {
  if (text === '.') return '.';
  if (text === '' || /[^!-~]/.test(text) || !/^(?:[^\\]|\\[0-9]{3}|\\[^0-9])*$/.test(text)) return undefined;
  const absolute = endsInFreeDot(text) ? text : `${text}.`;
  let octets = 1;
  let name = '';
  for (const label of labelsOf(absolute)) {
    const bytes = labelOctets(label);
    if (bytes.length === 0 || bytes.length > MAX_LABEL_OCTETS || bytes.some((octet) => octet > 255)) return undefined;
    octets += bytes.length + 1;
    for (const octet of bytes) name += OCTET_TEXT[octet];
    name += '.';
  }
  return octets > MAX_NAME_OCTETS ? undefined : name;
}

function endsInFreeDot(text: string): boolean {
  const backslashes = /(\\*)\.$/.exec(text)?.[1];
  return backslashes !== undefined && backslashes.length % 2 === 0;
}

/** True when `label` and `name` make a legal name together. */
export function joinName(label: string, name: Name): Name | undefined {
  return parseNameText(name === '.' ? label : `${label}.${name}`);
}
