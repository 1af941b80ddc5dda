import type { ResourceRecord } from './message.ts';
import { type Name, parseNameText } from './name.ts';
import { scanRdata } from './rdata.ts';
import { CLASS, classByName, typeByName } from './registry.ts';
import { wireError } from './wire-error.ts';

/** The words of one logical line of a zone file; quoted text is one word, without its quotes. */
export function splitWords(line: string): string[] {
  return Array.from(line.matchAll(/"((?:\\.|[^"\\])*)"|[^\s"]+/g), ([whole, quoted]) =>
    quoted === undefined ? whole : quoted.replace(/\\([0-9]{3}|.)/g, (_, char: string) => octetOf(char)),
  );
}

const octetOf = (char: string) => (char.length === 3 ? String.fromCharCode(Number(char) & 255) : char);

/** Reads one record, `NAME [TTL] [CLASS] TYPE DATA`; TTL and class may be left out or swapped. Raises a wireError. */
export function scanRecord(line: string, defaults: { ttl?: number; origin?: Name } = {}): ResourceRecord {
  const [owner = '', ...words] = splitWords(line);
  const { ttl = 3600, origin = '.' } = defaults;
  return scanRecordWords({ owner: scanOwner(owner, origin), words, ttl, origin });
}

/** Reads the words behind the owner name. */
export function scanRecordWords(options: {
  owner: Name;
  words: readonly string[];
  ttl: number;
  origin: Name;
}): ResourceRecord {
  let { ttl } = options;
  let recordClass: number = CLASS.IN;
  let at = 0;
  for (; at < options.words.length; at++) {
    const word = options.words[at] ?? '';
    const seconds = scanTtl(word);
    const named = classByName(word);
    if (seconds !== undefined) ttl = seconds;
    else if (named !== undefined && typeByName(word) === undefined) recordClass = named;
    else break;
  }
  const type = typeByName(options.words[at] ?? '');
  if (type === undefined) throw wireError('dns-rdata', `"${options.words[at] ?? ''}" is not a record type`);
  const data = scanRdata(type, options.words.slice(at + 1), options.origin);
  return { name: options.owner, type, class: recordClass, ttl, data };
}

/** An owner name; without a final dot it is relative to the origin, and '@' is the origin. */
export function scanOwner(text: string, origin: Name): Name {
  if (text === '@') return origin;
  const name = parseNameText(text.endsWith('.') || origin === '.' ? text : `${text}.${origin}`);
  if (name === undefined) throw wireError('dns-rdata', `"${text}" is not a domain name`);
  return name;
}

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** Seconds of '3600' or '1h30m'; undefined when it is no TTL. */
export function scanTtl(text: string): number | undefined {
  if (/^[0-9]{1,10}$/.test(text)) return Number(text);
  if (!/^([0-9]{1,6}[smhdw])+$/i.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.toLowerCase().matchAll(/([0-9]+)([smhdw])/g)) {
    total += Number(amount) * (UNIT_SECONDS[unit ?? ''] ?? 0);
  }
  return total;
}
