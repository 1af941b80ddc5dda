import type { Observation } from '../../chain/plugin.ts';
import { rcodeOf } from '../../chain/query.ts';
import { className, rcodeName, typeName } from '../../wire/registry.ts';

/** `{common}` of CoreDNS. */
export const COMMON_FORMAT =
  '{remote}:{port} - {>id} "{type} {class} {name} {proto} {size} {>do} {>bufsize}" {rcode} {>rflags} {rsize} {duration}';
export const COMBINED_FORMAT = `${COMMON_FORMAT} "{>opcode}"`;

const EMPTY = '-';

const FIELDS: Readonly<Record<string, (observation: Observation) => string>> = {
  remote: ({ query }) => (query.client.address.includes(':') ? `[${query.client.address}]` : query.client.address),
  port: ({ query }) => String(query.client.port),
  name: ({ query }) => query.question.name,
  type: ({ query }) => typeName(query.type),
  class: ({ query }) => className(query.question.class),
  proto: ({ query }) => query.protocol,
  size: ({ query }) => String(query.requestOctets),
  rcode: ({ outcome }) => rcodeName(rcodeOf(outcome) ?? 0),
  rsize: ({ replyOctets }) => String(replyOctets),
  duration: ({ seconds }) => `${seconds.toFixed(9)}s`,
  '>id': ({ query }) => String(query.request.id),
  '>do': ({ query }) => String(query.request.edns?.dnssecOk ?? false),
  '>bufsize': ({ query }) => String(query.request.edns?.udpSize ?? 512),
  '>opcode': ({ query }) => String(query.request.opcode),
  '>rflags': ({ outcome }) => flagsOf(outcome),
};

/** Fields that a format may name, for messages. */
export const FIELD_NAMES = [...Object.keys(FIELDS), 'common', 'combined'];

function flagsOf(outcome: Observation['outcome']): string {
  if (outcome.kind !== 'reply') return 'qr';
  const { message } = outcome;
  const flags = [
    'qr',
    message.authoritative && 'aa',
    message.truncated && 'tc',
    message.recursionDesired && 'rd',
    message.recursionAvailable && 'ra',
    message.authenticData && 'ad',
    message.checkingDisabled && 'cd',
  ];
  return flags.filter((flag) => flag !== false).join(',');
}

/** Turns a format into a function, once. An unknown field comes back as a string that names it. */
export function compileFormat(format: string): ((observation: Observation) => string) | string {
  const text = format.replaceAll('{common}', COMMON_FORMAT).replaceAll('{combined}', COMBINED_FORMAT);
  const parts: ((observation: Observation) => string)[] = [];
  for (const part of text.split(/(\{[^}]*\})/)) {
    const name = /^\{([^}]*)\}$/.exec(part)?.[1];
    if (name === undefined) parts.push(() => part);
    else if (name.startsWith('/')) parts.push(() => EMPTY);
    else if (Object.hasOwn(FIELDS, name)) parts.push(FIELDS[name] ?? (() => EMPTY));
    else return name;
  }
  return (observation) => parts.map((part) => part(observation)).join('');
}
