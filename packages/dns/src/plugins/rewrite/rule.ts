import type { Query } from '../../chain/query.ts';
import type { Message, ResourceRecord } from '../../wire/message.ts';
import { type Name, parseNameText } from '../../wire/name.ts';
import type { Rdata } from '../../wire/rdata.ts';
import { rcodeByName, typeByName } from '../../wire/registry.ts';
import { createNameMatch, MATCH_KINDS, type NameMatch } from './name-match.ts';

/** What a rule makes of a query: another query, and what is to be done to the answer. */
export interface Rewritten {
  readonly query: Query;
  readonly answer: (message: Message) => Message;
}

export interface Rule {
  /** Rules behind this one are tried too when it has matched. */
  readonly continues: boolean;
  /** Undefined when the rule does not match; an Error when its name is not one. */
  apply(query: Query): Rewritten | Error | undefined;
}

const FIELDS = ['name', 'type', 'ttl', 'rcode'];

/** Reads one rule: its words, and the lines of its body. An Error says what is wrong. */
export function parseRule(words: readonly string[], lines: readonly (readonly string[])[]): Rule | Error {
  const mode = words[0] === 'continue' || words[0] === 'stop' ? words[0] : undefined;
  const all = [words.slice(mode ? 1 : 0), ...lines].filter((line) => line.length > 0);
  const [[field = '', ...args] = [], ...more] = all;
  const apply = parseField(field, args, more);
  return apply instanceof Error ? apply : { continues: mode === 'continue', apply };
}

function parseField(
  field: string,
  args: readonly string[],
  more: readonly (readonly string[])[],
): Rule['apply'] | Error {
  switch (field) {
    case 'name':
      return nameRule(args, more);
    case 'type':
      return typeRule(args);
    case 'ttl':
      return answerRule(args, (values) => ttlChange(values));
    case 'rcode':
      return answerRule(args, (values) => rcodeChange(values));
    default:
      return new Error(`cannot rewrite "${field}"; known: ${FIELDS.join(', ')}`);
  }
}

/** `[exact|prefix|...] FROM TO [answer ...]`. */
function nameRule(args: readonly string[], more: readonly (readonly string[])[]): Rule['apply'] | Error {
  const kind = MATCH_KINDS.find((candidate) => candidate === args[0]);
  const [from, to, ...rest] = args.slice(kind ? 1 : 0);
  if (from === undefined || to === undefined) return new Error('name needs what to rewrite and what to');
  const match = createNameMatch(kind ?? 'exact', from, to);
  const answer = answerChanges([...splitAnswers(rest), ...more]);
  if (match instanceof Error) return match;
  if (answer instanceof Error) return answer;
  return (query) => {
    const text = match(query.name);
    if (text === undefined) return undefined;
    const name = parseNameText(text);
    if (name === undefined) return new Error(`"${text}" is not a domain name`);
    const question = { ...query.question, name };
    const lower = name.toLowerCase();
    // Records of the name that was asked for in place of the client's go back under the client's.
    const back = (owner: Name) => (owner.toLowerCase() === lower ? query.question.name : owner);
    return {
      query: withQuestion({ ...query, question, name: lower }),
      answer: (message) => answer(mapRecords(message, (record) => ({ ...record, name: back(record.name) }))),
    };
  };
}

/** 'answer auto answer name A B' as its parts. */
function splitAnswers(words: readonly string[]): string[][] {
  const parts: string[][] = [];
  for (const word of words) {
    if (word === 'answer' || parts.length === 0) parts.push([]);
    parts.at(-1)?.push(word);
  }
  return parts;
}

/** `answer auto`, `answer name REGEX TO`, `answer value REGEX TO`. */
function answerChanges(lines: readonly (readonly string[])[]): ((message: Message) => Message) | Error {
  const names: NameMatch[] = [];
  const values: NameMatch[] = [];
  for (const [keyword, what, ...rest] of lines) {
    if (keyword !== 'answer')
      return new Error(`"${keyword}" is not understood; write "answer auto", "answer name" or "answer value"`);
    if (what === 'auto') continue;
    const isValue = what === 'value';
    const [from, to] = isValue || what === 'name' ? rest : [what, ...rest];
    if (from === undefined || to === undefined) return new Error('answer needs a regular expression and what to put');
    const match = createNameMatch('regex', from, to);
    if (match instanceof Error) return match;
    (isValue ? values : names).push(match);
  }
  const change = (matches: readonly NameMatch[], name: Name): Name => {
    for (const match of matches) {
      const text = match(name.toLowerCase());
      const changed = text === undefined ? undefined : parseNameText(text);
      if (changed !== undefined) return changed;
    }
    return name;
  };
  return (message) =>
    mapRecords(message, (record) => ({
      ...record,
      name: change(names, record.name),
      data: mapTarget(record.data, (name) => change(values, name)),
    }));
}

/** `FROM TO`. */
function typeRule([from = '', to = '']: readonly string[]): Rule['apply'] | Error {
  const [asked, instead] = [typeByName(from), typeByName(to)];
  if (asked === undefined || instead === undefined) return new Error('type needs two record types');
  return (query) => {
    if (query.type !== asked) return undefined;
    const question = { ...query.question, type: instead };
    return { query: withQuestion({ ...query, question, type: instead }), answer: (message) => message };
  };
}

/** `[exact|prefix|...] NAME VALUES...`: leaves the question alone and changes the answer. */
function answerRule(
  args: readonly string[],
  compile: (values: readonly string[]) => ((message: Message) => Message) | Error,
): Rule['apply'] | Error {
  const kind = MATCH_KINDS.find((candidate) => candidate === args[0]);
  const [name = '', ...values] = args.slice(kind ? 1 : 0);
  const match = createNameMatch(kind ?? 'exact', name, '');
  const answer = compile(values);
  if (match instanceof Error) return match;
  if (answer instanceof Error) return answer;
  return (query) => (match(query.name) === undefined ? undefined : { query, answer });
}

/** `SECONDS`, `MIN-MAX`, `-MAX` or `MIN-`. */
function ttlChange([range = '']: readonly string[]): ((message: Message) => Message) | Error {
  const [, min, dash, max] = /^([0-9]{0,9})(-?)([0-9]{0,9})$/.exec(range) ?? [];
  if (!min && !max) return new Error('ttl needs SECONDS, MIN-MAX, -MAX or MIN-');
  const least = Number(min || 0);
  const most = dash ? Number(max || 0x7fff_ffff) : least;
  if (least > most) return new Error(`ttl: ${least} is more than ${most}`);
  return (message) =>
    mapRecords(message, (record) => ({ ...record, ttl: Math.min(Math.max(record.ttl, least), most) }));
}

/** `FROM TO`, by name or number. */
function rcodeChange([from = '', to = '']: readonly string[]): ((message: Message) => Message) | Error {
  const read = (text: string) => (/^[0-9]{1,2}$/.test(text) ? Number(text) : rcodeByName(text));
  const [given, instead] = [read(from), read(to)];
  if (given === undefined || instead === undefined) return new Error('rcode needs two response codes');
  return (message) => (message.rcode === given ? { ...message, rcode: instead } : message);
}

function withQuestion(query: Query): Query {
  return { ...query, request: { ...query.request, questions: [query.question] } };
}

function mapRecords(message: Message, change: (record: ResourceRecord) => ResourceRecord): Message {
  return {
    ...message,
    answers: message.answers.map(change),
    authorities: message.authorities.map(change),
    additionals: message.additionals.map(change),
  };
}

/** The data with the name that it leads to changed. */
function mapTarget(data: Rdata, change: (name: Name) => Name): Rdata {
  switch (data.kind) {
    case 'CNAME':
    case 'DNAME':
    case 'NS':
    case 'PTR':
    case 'SRV':
      return { ...data, target: change(data.target) };
    case 'MX':
      return { ...data, exchange: change(data.exchange) };
    case 'SOA':
      return { ...data, mname: change(data.mname) };
    case 'NAPTR':
      return { ...data, replacement: change(data.replacement) };
    default:
      return data;
  }
}
