import { definePlugin, type Observation } from '../../chain/plugin.ts';
import { rcodeOf } from '../../chain/query.ts';
import { suggestion } from '../../corefile/closest-match.ts';
import { rest } from '../../syntax/argument.ts';
import { directive, option } from '../../syntax/directive.ts';
import { oneOf, word } from '../../syntax/value.ts';
import { isWithin, type Name, parseNameText } from '../../wire/name.ts';
import { RCODE } from '../../wire/registry.ts';
import { COMMON_FORMAT, compileFormat, FIELD_NAMES } from './format.ts';

const syntax = directive({
  summary: 'Logs queries with their answers.',
  args: [rest('NAMES... FORMAT', word)],
  options: {
    class: option(
      'Logs only these answers: success, denial (NXDOMAIN and empty answers), error, or all.',
      rest('CLASS', oneOf('success', 'denial', 'error', 'all'), { min: 1 }),
    ),
  },
  repeatable: true,
});

type AnswerClass = 'success' | 'denial' | 'error';

/** `log`: see README.md. */
export const log = definePlugin({
  name: 'log',
  syntax,
  create(occurrences, { logger, report }) {
    const rules = occurrences.map(({ args: [words], options, place }) => {
      const formatText = words.find((text) => text.includes('{')) ?? COMMON_FORMAT;
      const scopes = words.filter((text) => text !== formatText).map((text) => parseNameText(text)?.toLowerCase());
      if (scopes.includes(undefined)) report(place, 'log: a NAME is not a domain name');
      const format = compileFormat(formatText);
      if (typeof format === 'string') {
        report(place, `log: unknown field {${format}}; ${suggestion(format, FIELD_NAMES)}`);
      }
      const classes = options.class?.[0] ?? ['all'];
      return {
        scopes: scopes.filter((scope): scope is Name => scope !== undefined),
        format: typeof format === 'string' ? () => '' : format,
        classes: new Set<string>(classes),
      };
    });
    return {
      observe(observation: Observation) {
        const { name } = observation.query;
        const rule = rules.find(({ scopes }) => scopes.length === 0 || scopes.some((scope) => isWithin(name, scope)));
        if (!rule || !(rule.classes.has('all') || rule.classes.has(classOf(observation)))) return;
        logger.info(rule.format(observation));
      },
    };
  },
});

function classOf({ outcome }: Observation): AnswerClass {
  const rcode = rcodeOf(outcome) ?? RCODE.NOERROR;
  if (rcode === RCODE.NXDOMAIN) return 'denial';
  if (rcode !== RCODE.NOERROR) return 'error';
  return outcome.kind === 'reply' && outcome.message.answers.length === 0 ? 'denial' : 'success';
}
