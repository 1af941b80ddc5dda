import type { Token } from '../corefile/lexer.ts';
import type { Place } from '../corefile/problem.ts';
import type { Value } from './value.ts';

/** Takes one problem; parsing goes on, so that all of them are seen at once. */
export type Report = (place: Place, message: string) => void;

/** The words that are still to be read of one line. */
export interface Words {
  readonly tokens: readonly Token[];
  readonly place: Place;
  /** 'cache' or 'cache: serve_stale', for messages. */
  readonly context: string;
  readonly report: Report;
  at: number;
}

/** One place in a line's list of arguments. `usage` is how documents and messages show it: 'TTL', '[TTL]', 'ZONES...'. */
export interface Argument<T> {
  readonly usage: string;
  take(words: Words): T | undefined;
}

/** What a list of arguments yields. */
export type ValuesOf<A extends readonly Argument<unknown>[]> = {
  readonly [I in keyof A]: A[I] extends Argument<infer T> ? T : never;
};

function read<T>(words: Words, label: string, value: Value<T>): T | undefined {
  const token = words.tokens[words.at++];
  if (!token) {
    words.report(words.place, `${words.context}: ${label} is missing; expected ${value.expected}`);
    return undefined;
  }
  const parsed = value.parse(token.text);
  if (parsed.ok) return parsed.value;
  words.report(token.place, `${words.context}: "${token.text}" is not a valid ${label}; expected ${value.expected}`);
  return undefined;
}

/** An argument that must be there. */
export function one<T>(label: string, value: Value<T>): Argument<T> {
  return { usage: label, take: (words) => read(words, label, value) };
}

/** An argument that may be left out. With `when`, a word that does not match belongs to the next argument. */
export function optional<T, D>(
  label: string,
  value: Value<T>,
  { otherwise, when }: { otherwise: D; when?: RegExp },
): Argument<T | D> {
  return {
    usage: `[${label}]`,
    take(words) {
      const token = words.tokens[words.at];
      if (!token || (when && !when.test(token.text))) return otherwise;
      return read(words, label, value);
    },
  };
}

/** All the arguments that are left. */
export function rest<T>(
  label: string,
  value: Value<T>,
  { min = 0, max }: { min?: number; max?: number } = {},
): Argument<readonly T[]> {
  return {
    usage: min > 0 ? `${label}...` : `[${label}...]`,
    take(words) {
      const values: T[] = [];
      const found = words.tokens.length - words.at;
      if (found < min) words.report(words.place, `${words.context}: ${label} is missing; expected ${value.expected}`);
      if (max !== undefined && found > max) {
        words.report(words.place, `${words.context}: at most ${max} ${label} are allowed, found ${found}`);
      }
      while (words.at < words.tokens.length) {
        const item = read(words, label, value);
        if (item !== undefined) values.push(item);
      }
      return values;
    },
  };
}
