import { type Cidr, cidrContains, parseIp } from '@ballast/base';
import { definePlugin } from '../../chain/plugin.ts';
import { optional, rest } from '../../syntax/argument.ts';
import { directive, option } from '../../syntax/directive.ts';
import { oneOf, prefix } from '../../syntax/value.ts';
import type { Message, ResourceRecord } from '../../wire/message.ts';
import { RCODE, TYPE } from '../../wire/registry.ts';

const syntax = directive({
  summary: 'Shuffles the addresses in answers, so that clients that take the first spread over all of them.',
  args: [optional('POLICY', oneOf('round_robin'), { otherwise: 'round_robin' as const })],
  options: {
    prefer: option('Puts addresses of these networks first, in this order.', rest('CIDR', prefix, { min: 1 })),
  },
});

/** `loadbalance`: see README.md. */
export const loadbalance = definePlugin({
  name: 'loadbalance',
  syntax,
  allowsReuse: true,
  create([{ options }], { random }) {
    const preferred = options.prefer?.[0] ?? [];
    return {
      async handle(query, next) {
        const outcome = await next(query);
        if (outcome.kind !== 'reply' || query.type === TYPE.AXFR || query.type === TYPE.IXFR) return outcome;
        const { message } = outcome;
        if (message.rcode !== RCODE.NOERROR || message.answers.length < 2) return outcome;
        return { ...outcome, isShuffled: preferred.length === 0, message: balance(message, { random, preferred }) };
      },
    };
  },
});

/** The message with the addresses and mail exchangers of each section in a new order: CNAMEs, others, addresses, MX. */
export function balance(message: Message, options: { random: () => number; preferred: readonly Cidr[] }): Message {
  const order = (records: readonly ResourceRecord[]) => arrange(records, options);
  return {
    ...message,
    answers: order(message.answers),
    authorities: order(message.authorities),
    additionals: order(message.additionals),
  };
}

function arrange(
  records: readonly ResourceRecord[],
  { random, preferred }: { random: () => number; preferred: readonly Cidr[] },
): readonly ResourceRecord[] {
  if (records.length < 2) return records;
  const aliases: ResourceRecord[] = [];
  const addresses: ResourceRecord[] = [];
  const exchangers: ResourceRecord[] = [];
  const others: ResourceRecord[] = [];
  for (const record of records) {
    if (record.type === TYPE.CNAME) aliases.push(record);
    else if (record.type === TYPE.A || record.type === TYPE.AAAA) addresses.push(record);
    else if (record.type === TYPE.MX) exchangers.push(record);
    else others.push(record);
  }
  shuffle(addresses, random);
  shuffle(exchangers, random);
  if (preferred.length > 0) {
    const rank = new Map(addresses.map((record) => [record, rankOf(record, preferred)]));
    addresses.sort((a, b) => (rank.get(a) ?? 0) - (rank.get(b) ?? 0));
  }
  return [...aliases, ...others, ...addresses, ...exchangers];
}

function rankOf({ data }: ResourceRecord, preferred: readonly Cidr[]): number {
  const ip = data.kind === 'A' || data.kind === 'AAAA' ? parseIp(data.address) : undefined;
  const index = ip ? preferred.findIndex((cidr) => cidrContains(cidr, ip)) : -1;
  return index < 0 ? preferred.length : index;
}

/** Fisher and Yates: every order is equally likely. */
function shuffle<T>(items: T[], random: () => number): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const [a, b] = [items[i], items[j]];
    if (a !== undefined && b !== undefined) [items[i], items[j]] = [b, a];
  }
}
