import { dirname, isAbsolute, join } from 'node:path';
import { messageOf } from '@ballast/base';
import { formatProblem } from '../../corefile/problem.ts';
import type { CorefileSource } from '../../corefile/source.ts';
import type { ResourceRecord } from '../../wire/message.ts';
import type { Name } from '../../wire/name.ts';
import { scanOwner, scanRecordWords, scanTtl } from '../../wire/scan-record.ts';

/** One entry of a master file: its words, over as many lines as its parentheses span. */
interface EntryLine {
  readonly line: number;
  /** The entry begins with blanks: it belongs to the owner of the one before. */
  readonly isIndented: boolean;
  readonly words: readonly string[];
}

export interface ZoneText {
  readonly records: readonly ResourceRecord[];
  /** 'file:line: what'. */
  readonly problems: readonly string[];
}

const DEFAULT_TTL = 3600;
const MAX_INCLUDES = 16;

/** Splits a master file (RFC 1035, section 5.1) into entries. */
export function splitEntries(text: string): EntryLine[] {
  const entries: EntryLine[] = [];
  let words: string[] = [];
  let start = 1;
  let line = 1;
  let depth = 0;
  let isIndented = false;
  const finish = () => {
    if (words.length > 0) entries.push({ line: start, isIndented, words });
    words = [];
  };
  for (const [token] of text.matchAll(
    /;[^\n]*|\n|[()]|"(?:\\[\s\S]|[^"\\])*"?|[^\S\n]+|(?:\\[\s\S]|[^\s();"\\])+|\\/g,
  )) {
    if (token === '\n') {
      line += 1;
      if (depth > 0) continue;
      finish();
      start = line;
      isIndented = false;
    } else if (token.startsWith(';')) continue;
    else if (token === '(') depth += 1;
    else if (token === ')') depth = Math.max(0, depth - 1);
    else if (/^\s/.test(token)) isIndented ||= words.length === 0 && depth === 0;
    else {
      words.push(token.startsWith('"') ? unquote(token) : token);
      line += token.split('\n').length - 1;
    }
  }
  finish();
  return entries;
}

function unquote(token: string): string {
  const inner = token.endsWith('"') && token.length > 1 ? token.slice(1, -1) : token.slice(1);
  return inner.replace(/\\([0-9]{3}|[\s\S])/g, (_, char: string) =>
    char.length === 3 ? String.fromCharCode(Number(char) & 255) : char,
  );
}

/** Reads a master file with $ORIGIN, $TTL and $INCLUDE. Every line that cannot be read is a problem; the others are records. */
export function parseZoneText(
  text: string,
  options: { file: string; origin: Name; source: CorefileSource; depth?: number },
): ZoneText {
  const records: ResourceRecord[] = [];
  const problems: string[] = [];
  const depth = options.depth ?? 0;
  let { origin } = options;
  let owner: Name | undefined;
  let ttl = DEFAULT_TTL;
  for (const { line, isIndented, words } of splitEntries(text)) {
    const report = (message: string) => problems.push(formatProblem({ place: { file: options.file, line }, message }));
    const [first = '', ...rest] = words;
    try {
      if (first === '$ORIGIN') origin = scanOwner(rest[0] ?? '', origin).toLowerCase();
      else if (first === '$TTL') ttl = scanTtl(rest[0] ?? '') ?? ttl;
      else if (first === '$INCLUDE') {
        const included = include(rest, { ...options, origin, depth: depth + 1 });
        records.push(...included.records);
        problems.push(...included.problems);
      } else if (first.startsWith('$')) report(`${first} is not understood; known: $ORIGIN, $TTL, $INCLUDE`);
      else {
        if (!isIndented) owner = scanOwner(first, origin).toLowerCase();
        if (owner === undefined) report('the first record needs an owner name');
        else records.push(scanRecordWords({ owner, words: isIndented ? words : rest, ttl, origin }));
      }
    } catch (error) {
      report(messageOf(error));
    }
  }
  return { records, problems };
}

function include(
  [path = '', origin]: readonly string[],
  options: { file: string; origin: Name; source: CorefileSource; depth: number },
): ZoneText {
  const file = isAbsolute(path) ? path : join(dirname(options.file), path);
  if (options.depth > MAX_INCLUDES) return { records: [], problems: [`${options.file}: $INCLUDE is nested too deep`] };
  const text = options.source.readText(file);
  if (text === undefined)
    return { records: [], problems: [`${options.file}: $INCLUDE ${path}: there is no such file`] };
  const inner = origin === undefined ? options.origin : scanOwner(origin, options.origin).toLowerCase();
  return parseZoneText(text, { ...options, file, origin: inner });
}
