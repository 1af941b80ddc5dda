import { type Cidr, cidrContains, parseIp } from '@ballast/base';
import { definePlugin, type PluginContext } from '../../chain/plugin.ts';
import { type Query, reply } from '../../chain/query.ts';
import type { Place } from '../../corefile/problem.ts';
import { rest } from '../../syntax/argument.ts';
import { directive } from '../../syntax/directive.ts';
import { prefix, zone } from '../../syntax/value.ts';
import { type Message, makeReply } from '../../wire/message.ts';
import { isWithin, type Name } from '../../wire/name.ts';
import { EDNS_OPTION, RCODE, TYPE, typeByName } from '../../wire/registry.ts';

const ACTIONS = ['allow', 'block', 'filter', 'drop'] as const;
type Action = (typeof ACTIONS)[number];

const syntax = directive({
  summary: 'Decides by address and type who may ask what.',
  args: [rest('ZONES', zone)],
  options: {},
  repeatable: true,
  freeLines: /^(allow|block|filter|drop)$/,
});

interface Rule {
  readonly action: Action;
  /** Empty: every type. */
  readonly types: ReadonlySet<number>;
  /** Empty: every address. */
  readonly networks: readonly Cidr[];
}

/** RFC 8914, section 4. */
const EXTENDED_ERROR = { blocked: 15, filtered: 17 } as const;

/** `acl`: see README.md. */
export const acl = definePlugin({
  name: 'acl',
  syntax,
  create(occurrences, context) {
    const stanzas = occurrences.map(({ args: [zones], freeLines, place }) => ({
      zones: zones.length > 0 ? zones.flat() : context.zones,
      rules: freeLines.map((words) => parseRule(words, place, context)),
    }));
    const counter = (name: string) =>
      context.metrics.counter({
        name: `acl_${name}_requests_total`,
        help: `Queries ${name} by acl.`,
        labels: ['server', 'zone', 'view'],
      });
    const counters = {
      allow: counter('allowed'),
      block: counter('blocked'),
      filter: counter('filtered'),
      drop: counter('dropped'),
    };
    return {
      async handle(query, next) {
        const action = decide(stanzas, query);
        counters[action].inc([context.server, query.zone, '']);
        switch (action) {
          case 'allow':
            return next(query);
          case 'block':
            return reply('acl', explained(query, RCODE.REFUSED, EXTENDED_ERROR.blocked));
          case 'filter':
            return reply('acl', explained(query, RCODE.NOERROR, EXTENDED_ERROR.filtered));
          case 'drop':
            return { kind: 'drop', plugin: 'acl' };
        }
      },
    };
  },
});

/** `ACTION [type TYPE...] [net CIDR...]`. */
function parseRule(words: readonly string[], place: Place, { report }: PluginContext): Rule {
  const action = ACTIONS.find((candidate) => candidate === words[0]) ?? 'block';
  const types = new Set<number>();
  const networks: Cidr[] = [];
  let section = '';
  for (const text of words.slice(1)) {
    if (text === 'type' || text === 'net') section = text;
    else if (section === 'type') {
      const type = text === '*' ? undefined : typeByName(text);
      if (type === undefined && text !== '*') report(place, `acl: ${action}: "${text}" is not a record type`);
      if (type !== undefined) types.add(type);
    } else if (section === 'net') {
      const network = prefix.parse(text);
      if (network.ok) networks.push(network.value);
      else if (text !== '*') report(place, `acl: ${action}: "${text}" is not a network; expected ${prefix.expected}`);
    } else report(place, `acl: ${action}: write "type" or "net" before "${text}"`);
  }
  if (types.has(TYPE.ANY)) types.clear();
  return { action, types, networks };
}

/** The first rule that matches decides; what none matches is allowed. A client without an address is not trusted. */
function decide(stanzas: readonly { zones: readonly Name[]; rules: readonly Rule[] }[], query: Query): Action {
  const ip = parseIp(query.client.address);
  if (!ip) return 'block';
  for (const { zones, rules } of stanzas) {
    if (!zones.some((candidate) => isWithin(query.name, candidate))) continue;
    const rule = rules.find(
      ({ types, networks }) =>
        (types.size === 0 || types.has(query.type)) &&
        (networks.length === 0 || networks.some((network) => cidrContains(network, ip))),
    );
    if (rule) return rule.action;
  }
  return 'allow';
}

function explained({ request }: Query, rcode: number, code: number): Message {
  const octets = Uint8Array.of(code >> 8, code & 255);
  const edns = { udpSize: 1232, version: 0, dnssecOk: false, options: [{ code: EDNS_OPTION.EXTENDED_ERROR, octets }] };
  return makeReply(request, { rcode, ...(request.edns ? { edns } : {}) });
}
