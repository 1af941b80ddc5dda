import { readFile, stat } from 'node:fs/promises';
import { errnoOf } from '@ballast/base';
import { definePlugin, type PluginContext } from '../../chain/plugin.ts';
import { failure, type Next, type Query, reply } from '../../chain/query.ts';
import { one, optional, rest } from '../../syntax/argument.ts';
import { directive, option } from '../../syntax/directive.ts';
import { duration, integer, word, zone } from '../../syntax/value.ts';
import { makeRecord, makeReply, type ResourceRecord } from '../../wire/message.ts';
import { isWithin } from '../../wire/name.ts';
import { TYPE } from '../../wire/registry.ts';
import { fallsThrough, fallthroughOf } from '../fallthrough.ts';
import { addressesOf, type HostsTable, hostsLines, parseHosts } from './hosts-table.ts';

const syntax = directive({
  summary: 'Answers A, AAAA and PTR from a hosts file, and from lines in the Corefile itself.',
  args: [optional('FILE', word, { otherwise: '/etc/hosts' }), rest('ZONES', zone)],
  options: {
    ttl: option('TTL of the answers; 3600 by default.', one('SECONDS', integer({ min: 1, max: 65535 }))),
    no_reverse: option('Makes no PTR records.'),
    reload: option('How often to look whether the file changed; 5s by default, 0 never.', one('DURATION', duration())),
    fallthrough: option('Lets the next plugin try names that are not here.', rest('ZONES', zone)),
  },
  freeLines: /^[0-9a-f]*[:.]/i,
});

const DEFAULT_TTL = 3600;
const DEFAULT_RELOAD_MS = 5000;

/** `hosts`: see README.md. */
export const hosts = definePlugin({
  name: 'hosts',
  syntax,
  allowsReuse: true,
  create([{ args, options, freeLines }], context) {
    const [file, zoneArgs] = args;
    const zones = zoneArgs.length > 0 ? zoneArgs.flat() : context.zones;
    const source = new HostsFile(file, parseHosts(freeLines), context);
    const ttl = options.ttl?.[0] ?? DEFAULT_TTL;
    const through = fallthroughOf(options.fallthrough);
    const reverse = options.no_reverse === undefined;
    return {
      async handle(query: Query, next: Next) {
        if (!zones.some((candidate) => isWithin(query.name, candidate))) return next(query);
        const { name, type, request } = query;
        if (type === TYPE.PTR) {
          const records = reverse ? pointers(source.tables, query, ttl) : [];
          if (records.length === 0) return next(query);
          return reply('hosts', makeReply(request, { authoritative: true, answers: records }));
        }
        const addresses = source.tables.flatMap((table) => addressesOf(table, name) ?? []);
        if (addresses.length === 0) {
          if (fallsThrough(through, name)) return next(query);
          // Without a SOA there is nothing to say NXDOMAIN with.
          return failure('hosts', 'SERVFAIL');
        }
        const owner = { name: query.question.name, ttl };
        const answers: ResourceRecord[] = [];
        for (const address of new Set(addresses)) {
          const isV6 = address.includes(':');
          if (type === TYPE.A && !isV6) answers.push(makeRecord('A', owner, { address }));
          if (type === TYPE.AAAA && isV6) answers.push(makeRecord('AAAA', owner, { address }));
        }
        return reply('hosts', makeReply(request, { authoritative: true, answers }));
      },
      start: () => source.start(options.reload?.[0] ?? DEFAULT_RELOAD_MS),
      stop: async () => source.stop(),
    };
  },
});

function pointers(tables: readonly HostsTable[], query: Query, ttl: number): ResourceRecord[] {
  const owner = { name: query.question.name, ttl };
  const names = new Set(tables.flatMap((table) => table.names.get(query.name) ?? []));
  return [...names].map((target) => makeRecord('PTR', owner, { target }));
}

/** A hosts file that is read again when it changes, with the lines of the Corefile in front. */
class HostsFile {
  readonly #path: string;
  readonly #inline: HostsTable;
  readonly #context: PluginContext;
  #table: HostsTable = parseHosts([]);
  #version = '';
  #timer: Disposable | undefined;
  #stopped = false;

  constructor(path: string, inline: HostsTable, context: PluginContext) {
    this.#path = path;
    this.#inline = inline;
    this.#context = context;
  }

  get tables(): readonly HostsTable[] {
    return [this.#inline, this.#table];
  }

  async start(reloadMs: number): Promise<void> {
    await this.#read();
    const again = () => {
      if (this.#stopped || reloadMs === 0) return;
      this.#timer = this.#context.clock.timer(reloadMs, () => void this.#read().then(again));
    };
    again();
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.[Symbol.dispose]();
  }

  async #read(): Promise<void> {
    const { logger, metrics, clock } = this.#context;
    try {
      const { mtimeMs, size } = await stat(this.#path);
      const version = `${mtimeMs} ${size}`;
      if (version === this.#version) return;
      this.#table = parseHosts(hostsLines(await readFile(this.#path, 'utf8')));
      this.#version = version;
      metrics
        .gauge({ name: 'hosts_entries', help: 'Entries of hosts files and inline lines.', labels: ['hostsfile'] })
        .set(this.#table.entries + this.#inline.entries, [this.#path]);
      metrics
        .gauge({ name: 'hosts_reload_timestamp_seconds', help: 'When a hosts file was last read.' })
        .set(Math.floor(clock.nowMs() / 1000));
    } catch (error) {
      if (this.#version !== 'missing')
        logger.warn('cannot read the hosts file', { path: this.#path, error: errnoOf(error) });
      this.#version = 'missing';
    }
  }
}
