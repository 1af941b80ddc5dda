import { definePlugin } from '../../chain/plugin.ts';
import { failure, type Query } from '../../chain/query.ts';
import { rest } from '../../syntax/argument.ts';
import { directive } from '../../syntax/directive.ts';
import { word } from '../../syntax/value.ts';
import type { Message } from '../../wire/message.ts';
import { makeReply } from '../../wire/message.ts';
import { parseRule, type Rewritten, type Rule } from './rule.ts';

const syntax = directive({
  summary: 'Changes questions on their way in and answers on their way out.',
  args: [rest('[continue|stop] FIELD RULE', word)],
  options: {},
  repeatable: true,
  freeLines: /^(name|type|ttl|rcode|answer)$/,
});

/** `rewrite`: see README.md. */
export const rewrite = definePlugin({
  name: 'rewrite',
  syntax,
  allowsReuse: true,
  create(occurrences, { report }) {
    const rules: Rule[] = [];
    for (const { args, freeLines, place } of occurrences) {
      const rule = parseRule(args[0], freeLines);
      if (rule instanceof Error) report(place, `rewrite: ${rule.message}`);
      else rules.push(rule);
    }
    return {
      async handle(query, next) {
        const applied = applyRules(rules, query);
        if (applied instanceof Error) return failure('rewrite', 'SERVFAIL', applied.message);
        if (!applied) return next(query);
        const outcome = await next(applied.query);
        if (outcome.kind === 'drop') return outcome;
        const message = outcome.kind === 'reply' ? outcome.message : makeReply(query.request, { rcode: outcome.rcode });
        // The client sees its own question, whatever was asked in its place.
        const answer = { ...applied.answer(message), questions: query.request.questions };
        if (outcome.kind === 'reply') return { ...outcome, message: answer };
        return answer.rcode === outcome.rcode ? outcome : { kind: 'reply', plugin: 'rewrite', message: answer };
      },
    };
  },
});

/** Questions are rewritten from the first rule on, answers from the last one back. */
function applyRules(rules: readonly Rule[], query: Query): Rewritten | Error | undefined {
  let current = query;
  const changes: ((message: Message) => Message)[] = [];
  for (const rule of rules) {
    const rewritten = rule.apply(current);
    if (rewritten instanceof Error) return rewritten;
    if (!rewritten) continue;
    current = rewritten.query;
    changes.unshift(rewritten.answer);
    if (!rule.continues) break;
  }
  if (changes.length === 0) return undefined;
  return { query: current, answer: (message) => changes.reduce((changed, change) => change(changed), message) };
}
