import { type Cidr, formatIp, parseCidr, parseIp } from '@ballast/base';
import { parseZone } from '../corefile/server-key.ts';
import { type Name, parseNameText } from '../wire/name.ts';
import { rcodeByName } from '../wire/registry.ts';

/** The outcome of reading one word. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false };

/** What a word of a Corefile may be; `expected` completes the sentence "expected …". */
export interface Value<T> {
  readonly expected: string;
  parse(text: string): Parsed<T>;
}

const refused: Parsed<never> = { ok: false };
const accepted = <T>(value: T): Parsed<T> => ({ ok: true, value });
const defined = <T>(value: T | undefined): Parsed<T> => (value === undefined ? refused : accepted(value));

/** Any word. */
export const word: Value<string> = { expected: 'a word', parse: accepted };

export function integer({ min, max }: { min: number; max?: number }): Value<number> {
  return {
    expected: max === undefined ? `a whole number of at least ${min}` : `a whole number from ${min} to ${max}`,
    parse(text) {
      const value = /^-?[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
      return value >= min && value <= (max ?? Number.MAX_SAFE_INTEGER) ? accepted(value) : refused;
    },
  };
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3600_000,
};

/** Milliseconds of '1m30s'; undefined when the text is no duration. */
function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!/^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/([0-9.]+)([a-zµ]+)/g))
    total += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0);
  return total;
}

export function formatDuration(ms: number): string {
  if (ms % 3600_000 === 0 && ms > 0) return `${ms / 3600_000}h`;
  if (ms % 60_000 === 0 && ms > 0) return `${ms / 60_000}m`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}

/** A duration such as 500ms, 5s or 1m30s, in milliseconds. With `bareSeconds` a plain number counts seconds. */
export function duration({
  minMs = 0,
  maxMs,
  bareSeconds = false,
}: {
  minMs?: number;
  maxMs?: number;
  bareSeconds?: boolean;
} = {}): Value<number> {
  const from = minMs > 0 ? ` from ${formatDuration(minMs)}` : '';
  const to = maxMs === undefined ? '' : ` up to ${formatDuration(maxMs)}`;
  return {
    expected: `a duration${from}${to}, such as 5s or 1m30s`,
    parse(text) {
      const value = bareSeconds && /^[0-9]{1,9}$/.test(text) ? Number(text) * 1000 : parseDuration(text);
      return value !== undefined && value >= minMs && value <= (maxMs ?? Number.MAX_SAFE_INTEGER)
        ? accepted(value)
        : refused;
    },
  };
}

export function oneOf<const T extends string>(...choices: readonly T[]): Value<T> {
  return {
    expected: `one of ${choices.join(', ')}`,
    parse: (text) => defined(choices.find((choice) => choice === text)),
  };
}

/** A domain name, lower case and absolute. */
export const domain: Value<Name> = {
  expected: 'a domain name',
  parse: (text) => defined(parseNameText(text)?.toLowerCase()),
};

/** A zone: a domain name, or an address prefix that stands for its reverse zones. */
export const zone: Value<readonly Name[]> = {
  expected: 'a zone (a domain name, or an address prefix for its reverse zones)',
  parse(text) {
    const zones = text === '' ? 'empty' : parseZone(text);
    return typeof zones === 'string' ? refused : accepted(zones);
  },
};

/** An address in canonical form. */
export const address: Value<string> = {
  expected: 'an IP address',
  parse(text) {
    const ip = parseIp(text);
    return ip ? accepted(formatIp(ip)) : refused;
  },
};

/** An address or a prefix. */
export const prefix: Value<Cidr> = {
  expected: 'an address prefix such as 10.0.0.0/8, or an IP address',
  parse(text) {
    const ip = parseIp(text);
    return defined(ip ? { ip, prefixLength: ip.family === 4 ? 32 : 128 } : parseCidr(text));
  },
};

export interface HostPort {
  /** '' for every address of the machine. */
  readonly host: string;
  readonly port: number;
}

/** Where a small HTTP server listens: ':8080', '127.0.0.1:8080', '[::1]:8080' or 'localhost:8080'. */
export const listenAddress: Value<HostPort> = {
  expected: 'an address to listen on, such as :8080 or 127.0.0.1:8080',
  parse(text) {
    const match = /^(?:\[([^\]]+)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text);
    const host = match?.[1] ?? match?.[2] ?? '';
    const port = Number(match?.[3] ?? -1);
    if (!match || port > 65535 || (host !== '' && host !== 'localhost' && !parseIp(host))) return refused;
    return accepted({ host: host === 'localhost' ? '127.0.0.1' : host, port });
  },
};

/** A response code by name, such as NXDOMAIN. */
export const responseCode: Value<number> = {
  expected: 'a response code such as NOERROR, SERVFAIL or NXDOMAIN',
  parse: (text) => defined(rcodeByName(text)),
};

/** Longest regular expression taken from a Corefile. */
const MAX_REGEX = 10_000;

/** A JavaScript regular expression; Go's `(?P<name>` is taken too. */
export const regex: Value<RegExp> = {
  expected: `a regular expression of up to ${MAX_REGEX} characters`,
  parse(text) {
    if (text.length > MAX_REGEX) return refused;
    try {
      return accepted(new RegExp(text.replaceAll('(?P<', '(?<')));
    } catch {
      return refused;
    }
  },
};
