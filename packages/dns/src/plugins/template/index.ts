import { messageOf } from '@ballast/base';
import { definePlugin, type PluginContext } from '../../chain/plugin.ts';
import { failure, type Query, reply } from '../../chain/query.ts';
import type { Place } from '../../corefile/problem.ts';
import { one, rest } from '../../syntax/argument.ts';
import { directive, option, repeated } from '../../syntax/directive.ts';
import { type Parsed, regex, responseCode, type Value, word, zone } from '../../syntax/value.ts';
import { makeReply, type ResourceRecord } from '../../wire/message.ts';
import { isWithin } from '../../wire/name.ts';
import { CLASS, classByName, className, TYPE, typeByName, typeName } from '../../wire/registry.ts';
import { scanRecord } from '../../wire/scan-record.ts';
import { fallsThrough, fallthroughOf } from '../fallthrough.ts';
import { compileTemplate, type Template } from './record-template.ts';

const number = (expected: string, read: (text: string) => number | undefined): Value<number> => ({
  expected,
  parse(text): Parsed<number> {
    const value = read(text);
    return value === undefined ? { ok: false } : { ok: true, value };
  },
});

const syntax = directive({
  summary: 'Answers from templates: records whose name and data are made of the question.',
  args: [
    one('CLASS', number('a class such as IN, or ANY', classByName)),
    one('TYPE', number('a record type such as A, or ANY', typeByName)),
    rest('ZONES', zone),
  ],
  options: {
    match: repeated(
      'Answers names that match only; its groups can be used in records.',
      rest('REGEX', regex, { min: 1 }),
    ),
    answer: repeated('A record of the answer, as in a zone file.', one('RECORD', word)),
    additional: repeated('A record of the additional section.', one('RECORD', word)),
    authority: repeated('A record of the authority section.', one('RECORD', word)),
    rcode: option('The response code; NOERROR by default.', one('CODE', responseCode)),
    fallthrough: option('Lets the next plugin try names that match nothing.', rest('ZONES', zone)),
  },
  repeatable: true,
});

/** `template`: see README.md. */
export const template = definePlugin({
  name: 'template',
  syntax,
  allowsReuse: true,
  create: (occurrences, context) =>
    occurrences.map(({ args: [wantedClass, wantedType, zoneArgs], options, place }) => {
      const zones = zoneArgs.length > 0 ? zoneArgs.flat() : context.zones;
      const patterns = options.match.flat(2);
      const through = fallthroughOf(options.fallthrough);
      const compile = (texts: readonly (readonly [string])[]) => texts.map(([text]) => compiled(text, place, context));
      const sections = {
        answers: compile(options.answer),
        authorities: compile(options.authority),
        additionals: compile(options.additional),
      };
      const matchOf = ({ name }: Query): RegExpExecArray | undefined => {
        if (patterns.length === 0) return /^.*$/.exec(name) ?? undefined;
        for (const pattern of patterns) {
          const match = pattern.exec(name);
          if (match) return match;
        }
        return undefined;
      };
      return {
        async handle(query, next) {
          const { question, type } = query;
          const home = zones.find((candidate) => isWithin(query.name, candidate));
          const isClass = wantedClass === CLASS.ANY || wantedClass === question.class;
          const isType = wantedType === TYPE.ANY || wantedType === type;
          if (home === undefined || !isClass || !isType) return next(query);
          const match = matchOf(query);
          if (!match) {
            if (patterns.length > 0 && !fallsThrough(through, query.name)) return failure('template', 'SERVFAIL');
            return next(query);
          }
          const values = {
            Name: question.name,
            Zone: home,
            Class: className(question.class),
            Type: typeName(type),
            Remote: query.client.address,
            match,
          };
          const make = (templates: readonly Template[]): ResourceRecord[] =>
            templates.map((text) => scanRecord(text(values)));
          try {
            const { answers, authorities, additionals } = sections;
            return reply(
              'template',
              makeReply(query.request, {
                authoritative: true,
                rcode: options.rcode?.[0] ?? 0,
                answers: make(answers),
                authorities: make(authorities),
                additionals: make(additionals),
              }),
            );
          } catch (error) {
            return failure('template', 'SERVFAIL', `a template made no record: ${messageOf(error)}`);
          }
        },
      };
    }),
});

function compiled(text: string, place: Place, { report }: PluginContext): Template {
  const result = compileTemplate(text);
  if (typeof result !== 'string') return result;
  report(place, `template: ${result}`);
  return () => '';
}
