import { definePlugin } from '../../chain/plugin.ts';
import { reply } from '../../chain/query.ts';
import { directive } from '../../syntax/directive.ts';
import { makeRecord, makeReply } from '../../wire/message.ts';
import { TYPE } from '../../wire/registry.ts';

const syntax = directive({
  summary: 'Answers questions of type ANY with one small HINFO record (RFC 8482).',
  args: [],
  options: {},
});

const TTL = 8482;

/** `any`: see README.md. */
export const any = definePlugin({
  name: 'any',
  syntax,
  allowsReuse: true,
  create: () => ({
    async handle(query, next) {
      if (query.type !== TYPE.ANY) return next(query);
      const owner = { name: query.question.name, ttl: TTL };
      const hint = makeRecord('HINFO', owner, { cpu: 'ANY obsoleted', os: 'See RFC 8482' });
      return reply('any', makeReply(query.request, { answers: [hint] }));
    },
  }),
});
