import { one, optional, rest } from '../../syntax/argument.ts';
import { directive, type Occurrence, option, repeated } from '../../syntax/directive.ts';
import { duration, integer, oneOf, type Parsed, type Value, zone } from '../../syntax/value.ts';
import type { Name } from '../../wire/name.ts';

const seconds = integer({ min: 1, max: 2 ** 31 - 1 });
const capacity = integer({ min: 0, max: 10_000_000 });

/** '20%' as 0.2. */
const share: Value<number> = {
  expected: 'a percentage from 10% to 90%',
  parse(text): Parsed<number> {
    const value = /^[0-9]{2}%$/.test(text) ? Number(text.slice(0, 2)) : 0;
    return value >= 10 && value <= 90 ? { ok: true, value: value / 100 } : { ok: false };
  },
};

const store = (what: string) =>
  option(
    `How many ${what} to keep, and the most and least seconds for each.`,
    one('CAPACITY', capacity),
    optional('TTL', seconds, { otherwise: undefined }),
    optional('MINTTL', integer({ min: 0 }), { otherwise: undefined }),
  );

export const cacheSyntax = directive({
  summary: 'Keeps answers for as long as their TTL allows, and answers from there.',
  args: [optional('TTL', seconds, { otherwise: undefined, when: /^-?[0-9]+$/ }), rest('ZONES', zone)],
  options: {
    success: store('answers'),
    denial: store('denials (no such name, no such type)'),
    prefetch: option(
      'Renews an answer that was used AMOUNT times without a gap of DURATION before it expires.',
      one('AMOUNT', integer({ min: 0 })),
      optional('DURATION', duration(), { otherwise: 60_000 }),
      optional('PERCENTAGE', share, { otherwise: 0.1 }),
    ),
    serve_stale: option(
      'Answers with expired entries for up to DURATION more, while (immediate) or only when (verify) asking anew fails.',
      optional('DURATION', duration(), { otherwise: 3600_000, when: /^[0-9]/ }),
      optional('MODE', oneOf('immediate', 'verify'), { otherwise: 'immediate' as const }),
      optional('VERIFY_TIMEOUT', duration(), { otherwise: 0 }),
    ),
    servfail: option(
      'For how long to keep failures; 5s by default, 0 not at all.',
      one('DURATION', duration({ maxMs: 300_000 })),
    ),
    disable: repeated(
      'Keeps no answers, or no denials, of these zones (all when none is named).',
      one('KIND', oneOf('success', 'denial')),
      rest('ZONES', zone),
    ),
    keepttl: option('Answers with the TTL as it was stored.'),
  },
});

export interface StoreLimits {
  readonly capacity: number;
  readonly maxSeconds: number;
  readonly minSeconds: number;
}

export interface CacheConfig {
  /** Undefined: all that the block serves. */
  readonly zones: readonly Name[] | undefined;
  readonly success: StoreLimits;
  readonly denial: StoreLimits;
  readonly prefetch: { readonly amount: number; readonly gapMs: number; readonly share: number } | undefined;
  readonly stale:
    | { readonly forMs: number; readonly mode: 'immediate' | 'verify'; readonly timeoutMs: number }
    | undefined;
  readonly failureMs: number;
  /** Zones of which answers, or denials, are not kept; empty: all. */
  readonly disabled: readonly { readonly kind: 'success' | 'denial'; readonly zones: readonly Name[] }[];
  readonly keepTtl: boolean;
}

const DEFAULT_CAPACITY = 9984;
const DEFAULT_MAX_SECONDS = { success: 3600, denial: 1800 } as const;
const DEFAULT_MIN_SECONDS = 5;
const DEFAULT_FAILURE_MS = 5000;

/** What a `cache` directive asks for, with the defaults filled in. */
export function cacheConfig({
  args: [ttl, zones],
  options,
}: Occurrence<(typeof cacheSyntax)['args'], (typeof cacheSyntax)['options']>): CacheConfig {
  const limits = (kind: 'success' | 'denial'): StoreLimits => {
    const [size, maxSeconds, minSeconds] = options[kind] ?? [];
    return {
      capacity: Math.max(size ?? DEFAULT_CAPACITY, 1),
      maxSeconds: maxSeconds ?? ttl ?? DEFAULT_MAX_SECONDS[kind],
      minSeconds: minSeconds ?? DEFAULT_MIN_SECONDS,
    };
  };
  const { prefetch, serve_stale: stale, disable } = options;
  return {
    zones: zones.length > 0 ? zones.flat() : undefined,
    success: limits('success'),
    denial: limits('denial'),
    prefetch: prefetch && prefetch[0] > 0 ? { amount: prefetch[0], gapMs: prefetch[1], share: prefetch[2] } : undefined,
    stale: stale && { forMs: stale[0], mode: stale[1], timeoutMs: stale[2] },
    failureMs: options.servfail?.[0] ?? DEFAULT_FAILURE_MS,
    disabled: disable.map(([kind, zones]) => ({ kind, zones: zones.flat() })),
    keepTtl: options.keepttl !== undefined,
  };
}
