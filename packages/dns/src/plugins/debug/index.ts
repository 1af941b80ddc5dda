import { definePlugin } from '../../chain/plugin.ts';
import { rcodeOf } from '../../chain/query.ts';
import { directive } from '../../syntax/directive.ts';
import { rcodeName, typeName } from '../../wire/registry.ts';

const syntax = directive({
  summary: 'Logs what became of every query at level debug.',
  args: [],
  options: {},
});

/** `debug`: see README.md. */
export const debug = definePlugin({
  name: 'debug',
  syntax,
  create: (_, { logger }) => ({
    observe({ query, outcome, seconds }) {
      logger.debug('query', {
        name: query.question.name,
        type: typeName(query.type),
        zone: query.zone,
        by: outcome.plugin || 'server',
        rcode: rcodeName(rcodeOf(outcome) ?? 0),
        microseconds: Math.round(seconds * 1e6),
      });
    },
  }),
});
