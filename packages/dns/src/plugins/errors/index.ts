import type { LogLevel } from '@ballast/base';
import { definePlugin, type Observation } from '../../chain/plugin.ts';
import { one, optional } from '../../syntax/argument.ts';
import { directive, option, repeated } from '../../syntax/directive.ts';
import { duration, formatDuration, oneOf, regex } from '../../syntax/value.ts';
import { rcodeName, typeName } from '../../wire/registry.ts';

const LEVELS: Readonly<Record<'warning' | 'error' | 'info' | 'debug', LogLevel>> = {
  warning: 'warn',
  error: 'error',
  info: 'info',
  debug: 'debug',
};

const syntax = directive({
  summary: 'Logs the errors that plugins meet while they answer.',
  args: [],
  options: {
    stacktrace: option('Accepted for compatibility: errors of the server itself always come with their stack.'),
    consolidate: repeated(
      'Instead of each error whose text matches, logs how many there were, once per DURATION.',
      one('DURATION', duration({ minMs: 1 })),
      one('REGEX', regex),
      optional('LEVEL', oneOf('warning', 'error', 'info', 'debug'), {
        otherwise: 'error' as const,
        when: /^(?!show_first$)/,
      }),
      optional('show_first', oneOf('show_first'), { otherwise: undefined }),
    ),
  },
});

/** `errors`: see README.md. */
export const errors = definePlugin({
  name: 'errors',
  syntax,
  allowsReuse: true,
  create([{ options }], { logger, clock }) {
    const rules = options.consolidate.map(([periodMs, pattern, level, showFirst]) => ({
      periodMs,
      pattern,
      level: LEVELS[level],
      showFirst: showFirst !== undefined,
      count: 0,
      timer: undefined as Disposable | undefined,
    }));
    const summarise = (rule: (typeof rules)[number]) => {
      rule.timer?.[Symbol.dispose]();
      rule.timer = undefined;
      const text = `${rule.count} errors like '${rule.pattern.source}' occurred in last ${formatDuration(rule.periodMs)}`;
      if (rule.count > (rule.showFirst ? 1 : 0)) logger[rule.level](text);
      rule.count = 0;
    };
    return {
      observe({ query, outcome }: Observation) {
        if (outcome.kind !== 'failure' || outcome.error === undefined) return;
        const { error, rcode, plugin } = outcome;
        const what = {
          rcode: rcodeName(rcode),
          name: query.question.name,
          type: typeName(query.type),
          from: plugin,
          error,
        };
        const rule = rules.find(({ pattern }) => pattern.test(error));
        if (!rule) return logger.error('query failed', what);
        rule.count += 1;
        if (rule.count === 1 && rule.showFirst) logger[rule.level]('query failed', what);
        rule.timer ??= clock.timer(rule.periodMs, () => summarise(rule));
      },
      async stop() {
        for (const rule of rules) summarise(rule);
      },
    };
  },
});
