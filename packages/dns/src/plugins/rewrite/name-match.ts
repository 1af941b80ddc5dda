import { type Name, parseNameText } from '../../wire/name.ts';

export const MATCH_KINDS = ['exact', 'prefix', 'suffix', 'substring', 'regex'] as const;
export type MatchKind = (typeof MATCH_KINDS)[number];

/** Gives what a name in lower case becomes; undefined when it does not match. `{0}`, `{1}`, ... are the groups of a regex. */
export type NameMatch = (name: Name) => string | undefined;

/** Longest regular expression taken. */
const MAX_REGEX = 10_000;

/** Makes a matcher; an Error says what is wrong with its words. */
export function createNameMatch(kind: MatchKind, from: string, to: string): NameMatch | Error {
  if (kind === 'regex') {
    try {
      if (from.length > MAX_REGEX) return new Error(`the regular expression is longer than ${MAX_REGEX} characters`);
      const pattern = new RegExp(from.replaceAll('(?P<', '(?<'));
      return (name) => {
        const match = pattern.exec(name);
        return match ? to.replace(/\{([0-9]+)\}/g, (_, group: string) => match[Number(group)] ?? '') : undefined;
      };
    } catch {
      return new Error(`"${from}" is not a regular expression`);
    }
  }
  const part = from.toLowerCase();
  const whole = parseNameText(from)?.toLowerCase();
  switch (kind) {
    case 'exact':
      if (whole === undefined) return new Error(`"${from}" is not a domain name`);
      return (name) => (name === whole ? to : undefined);
    case 'prefix':
      return (name) => (name.startsWith(part) ? to + name.slice(part.length) : undefined);
    case 'suffix': {
      const tail = part.endsWith('.') ? part : `${part}.`;
      const end = to.endsWith('.') ? to : `${to}.`;
      return (name) => (name.endsWith(tail) ? name.slice(0, name.length - tail.length) + end : undefined);
    }
    case 'substring':
      return (name) => (name.includes(part) ? name.replace(part, to) : undefined);
  }
}
