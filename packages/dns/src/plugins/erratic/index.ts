import { definePlugin } from '../../chain/plugin.ts';
import { reply } from '../../chain/query.ts';
import { optional } from '../../syntax/argument.ts';
import { directive, option } from '../../syntax/directive.ts';
import { duration, integer } from '../../syntax/value.ts';
import { makeRecord, makeReply } from '../../wire/message.ts';
import { TYPE } from '../../wire/registry.ts';

const every = optional('AMOUNT', integer({ min: 0 }), { otherwise: 2 });
const DEFAULT_DELAY_MS = 100;

const syntax = directive({
  summary: 'Answers badly on purpose, to test clients and monitoring.',
  args: [],
  options: {
    drop: option('Drops one of AMOUNT queries; 2 by default, 0 none.', every),
    truncate: option('Truncates one of AMOUNT answers.', every),
    delay: option(
      'Delays one of AMOUNT answers.',
      every,
      optional('DURATION', duration(), { otherwise: DEFAULT_DELAY_MS }),
    ),
  },
});

/** `erratic`: see README.md. */
export const erratic = definePlugin({
  name: 'erratic',
  syntax,
  create([{ options }], { clock }) {
    const { drop, truncate, delay } = options;
    const dropEvery = drop?.[0] ?? (truncate || delay ? 0 : 2);
    let count = 0;
    const isTurn = (amount: number | undefined) => amount !== undefined && amount > 0 && count % amount === 0;
    return {
      async handle({ request, question, type }) {
        count += 1;
        if (isTurn(dropEvery)) return { kind: 'drop', plugin: 'erratic' };
        if (delay && isTurn(delay[0])) await clock.sleep(delay[1]);
        const owner = { name: question.name, ttl: 0 };
        const answers = [
          ...(type === TYPE.A ? [makeRecord('A', owner, { address: '192.0.2.53' })] : []),
          ...(type === TYPE.AAAA ? [makeRecord('AAAA', owner, { address: '2001:db8::53' })] : []),
        ];
        return reply('erratic', makeReply(request, { authoritative: true, truncated: isTurn(truncate?.[0]), answers }));
      },
    };
  },
});
