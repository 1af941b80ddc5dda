import { definePlugin } from '../../chain/plugin.ts';
import { reply } from '../../chain/query.ts';
import { directive } from '../../syntax/directive.ts';
import { makeRecord, makeReply } from '../../wire/message.ts';

const syntax = directive({
  summary: 'Answers every question with the address, port and protocol of who asked.',
  args: [],
  options: {},
});

/** `whoami`: see README.md. */
export const whoami = definePlugin({
  name: 'whoami',
  syntax,
  create: () => ({
    async handle({ request, question, client, protocol }) {
      const owner = { name: question.name, ttl: 0 };
      const { address } = client;
      const host = address.includes(':') ? makeRecord('AAAA', owner, { address }) : makeRecord('A', owner, { address });
      const service = question.name === '.' ? `_${protocol}.` : `_${protocol}.${question.name}`;
      const port = makeRecord(
        'SRV',
        { name: service, ttl: 0 },
        { priority: 0, weight: 0, port: client.port, target: '.' },
      );
      return reply('whoami', makeReply(request, { authoritative: true, additionals: [host, port] }));
    },
  }),
});
