import { readFile } from 'node:fs/promises';
import { errnoOf } from '@ballast/base';
import { nodata, nxdomain } from '../../chain/negative.ts';
import { definePlugin, type PluginContext } from '../../chain/plugin.ts';
import { failure, type Next, type Outcome, type Query, reply } from '../../chain/query.ts';
import { localFiles } from '../../corefile/source.ts';
import { one, rest } from '../../syntax/argument.ts';
import { directive, option } from '../../syntax/directive.ts';
import { duration, word, zone } from '../../syntax/value.ts';
import { type Message, makeReply, type ResourceRecord } from '../../wire/message.ts';
import { isWithin, type Name } from '../../wire/name.ts';
import { RCODE, TYPE } from '../../wire/registry.ts';
import { fallsThrough, fallthroughOf } from '../fallthrough.ts';
import { Zone, type ZoneAnswer } from './zone.ts';
import { parseZoneText } from './zone-text.ts';

const syntax = directive({
  summary: 'Answers from zone files in the master format of RFC 1035.',
  args: [one('FILE', word), rest('ZONES', zone)],
  options: {
    reload: option(
      'How often to look whether the serial has changed; 1m by default, 0 never.',
      one('DURATION', duration()),
    ),
    fallthrough: option('Lets the next plugin try names that the zone does not have.', rest('ZONES', zone)),
  },
  repeatable: true,
});

const DEFAULT_RELOAD_MS = 60_000;
const MAX_DEPTH = 8;

/** `file`: see README.md. */
export const file = definePlugin({
  name: 'file',
  syntax,
  allowsReuse: true,
  create: (occurrences, context) =>
    occurrences.map(({ args: [path, zoneArgs], options }) => {
      const origins = zoneArgs.length > 0 ? zoneArgs.flat() : context.zones;
      const through = fallthroughOf(options.fallthrough);
      const files = origins.map((origin) => new ZoneFile({ path, origin, context }));
      return {
        async handle(query: Query, next: Next): Promise<Outcome> {
          const home = files.find(({ origin }) => isWithin(query.name, origin));
          if (!home) return next(query);
          const { zone } = home;
          if (!zone) return failure('file', 'SERVFAIL', `zone ${home.origin} has not been loaded`);
          if (query.type === TYPE.AXFR || query.type === TYPE.IXFR) return failure('file', 'REFUSED');
          const found = zone.lookup(query.name, query.type);
          const isEmpty = found.kind === 'nxdomain' || found.kind === 'nodata';
          if (isEmpty && found.answers.length === 0 && fallsThrough(through, query.name)) return next(query);
          return answerWith(query, { zone, found, context });
        },
        async start() {
          for (const each of files) await each.start(options.reload?.[0] ?? DEFAULT_RELOAD_MS);
        },
        async stop() {
          for (const each of files) each.stop();
        },
      };
    }),
});

async function answerWith(
  query: Query,
  { zone, found, context }: { zone: Zone; found: ZoneAnswer; context: PluginContext },
): Promise<Outcome> {
  const { request } = query;
  /** Owners equal to the question are written as the client wrote them. */
  const spelled = (records: readonly ResourceRecord[]) =>
    records.map((record) => (record.name === query.name ? { ...record, name: query.question.name } : record));
  const send = (message: Message): Outcome => reply('file', message);
  switch (found.kind) {
    case 'answer': {
      const additionals = zone.addressesFor(found.answers);
      return send(makeReply(request, { authoritative: true, answers: spelled(found.answers), additionals }));
    }
    case 'referral':
      return send(
        makeReply(request, { authorities: found.authorities, additionals: zone.addressesFor(found.authorities) }),
      );
    case 'nodata':
      return send({ ...nodata(request, zone.soa), answers: spelled(found.answers) });
    case 'nxdomain':
      return send({ ...nxdomain(request, zone.soa), answers: spelled(found.answers) });
    case 'loop':
      return failure('file', 'SERVFAIL', `the aliases of ${query.name} lead in a circle`);
    case 'leaves': {
      const more = query.depth < MAX_DEPTH ? await askFor(query, found.target, context) : undefined;
      return send(
        makeReply(request, {
          authoritative: true,
          rcode: more?.rcode ?? RCODE.NOERROR,
          answers: [...spelled(found.answers), ...(more?.answers ?? [])],
        }),
      );
    }
  }
}

async function askFor(query: Query, target: Name, { askSelf }: PluginContext): Promise<Message | undefined> {
  const question = { ...query.question, name: target };
  const request = { ...query.request, questions: [question] };
  const outcome = await askSelf({ ...query, request, question, name: target, depth: query.depth + 1 });
  return outcome.kind === 'reply' ? outcome.message : undefined;
}

/** A zone that is read again when its serial changes. A file that cannot be used leaves the zone as it was. */
class ZoneFile {
  readonly origin: Name;
  readonly #path: string;
  readonly #context: PluginContext;
  #zone: Zone | undefined;
  #timer: Disposable | undefined;
  #isStopped = false;
  #said = '';

  constructor(options: { path: string; origin: Name; context: PluginContext }) {
    this.#path = options.path;
    this.origin = options.origin;
    this.#context = options.context;
  }

  get zone(): Zone | undefined {
    return this.#zone;
  }

  async start(reloadMs: number): Promise<void> {
    await this.#read();
    const again = () => {
      if (this.#isStopped || reloadMs === 0) return;
      this.#timer = this.#context.clock.timer(reloadMs, () => void this.#read().then(again));
    };
    again();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.[Symbol.dispose]();
  }

  async #read(): Promise<void> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (error) {
      return this.#complain([
        `${this.#path}: ${errnoOf(error) === 'ENOENT' ? 'there is no such file' : errnoOf(error)}`,
      ]);
    }
    const { records, problems } = parseZoneText(text, { file: this.#path, origin: this.origin, source: localFiles });
    const zone = Zone.of(this.origin, records);
    if (zone instanceof Error) return this.#complain([...problems, `${this.#path}: ${zone.message}`]);
    if (problems.length > 0) return this.#complain(problems);
    this.#said = '';
    if (this.#zone && this.#zone.serial === zone.serial) return;
    this.#zone = zone;
    this.#context.changes.announce([this.origin]);
    this.#context.logger.info('zone loaded', { zone: this.origin, serial: zone.serial, records: records.length });
  }

  #complain(problems: readonly string[]): void {
    const text = problems.join('\n');
    if (text !== this.#said) {
      this.#context.logger.error('the zone file cannot be used', {
        zone: this.origin,
        problems,
        effect: this.#zone ? 'the zone stays as it was' : 'its names get SERVFAIL',
      });
    }
    this.#said = text;
  }
}
