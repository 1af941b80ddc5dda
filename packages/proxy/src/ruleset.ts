import type { Container, Family } from './element.ts';
import { rememberChain } from './frontend.ts';
import { DRAWS, SIZE_CLASSES } from './slots.ts';

/** The proxy's table, one in each of nft's families ip and ip6. Nobody else may write into it. */
export const TABLE = 'ballast-proxy';

/** Clients of Services with affinity that are remembered at the same time, at most. */
const AFFINITY_SIZE = 1_048_576;

/** Prefixes of the cluster, by which the fixed rules tell inside from outside. */
export interface Networks {
  /** Of pods: their traffic keeps its source and is not subject to externalTrafficPolicy. */
  readonly podCidrs: readonly string[];
  /** Of ClusterIPs: traffic to one that no Service has is dropped. */
  readonly serviceCidrs: readonly string[];
}

/** nft's name of a family. */
export function tableFamily(family: Family): 'ip' | 'ip6' {
  return family === 4 ? 'ip' : 'ip6';
}

/**
 * The fixed part of the table: containers, and chains whose number does not depend on how many Services there are. The script is one
 * transaction that also takes over a table left by an earlier run: rules and containers are emptied (and refilled by what the caller
 * appends), the remembered clients of Services with affinity stay. Connections that were established are conntrack's and notice nothing.
 */
export function skeleton(family: Family, networks: Networks): string {
  const table = `${tableFamily(family)} ${TABLE}`;
  const definitions = containers(family);
  return [
    `add table ${table}`,
    `flush table ${table}`,
    ...definitions.map(({ noun, name, body }) => `add ${noun} ${table} ${name} ${body}`),
    // Deleted and added again rather than flushed: nft 1.0.6 cannot use a map in a rule that it has read back from the kernel when its key
    // is a 'typeof' with 'th dport'.
    ...definitions
      .filter(({ name }) => name !== 'affinity')
      .flatMap(({ noun, name, body }) => [`delete ${noun} ${table} ${name}`, `add ${noun} ${table} ${name} ${body}`]),
    ...chains(family, networks).flatMap(({ name, hook, rules }) => [
      `add chain ${table} ${name}${hook ? ` { ${hook} }` : ''}`,
      ...rules.map((rule) => ({ chain: name, rule })),
    ]),
  ]
    .toSorted((a, b) => Number(typeof a !== 'string') - Number(typeof b !== 'string'))
    .map((line) => (typeof line === 'string' ? line : `add rule ${table} ${line.chain} ${line.rule}`))
    .join('\n')
    .concat('\n');
}

/** Removes the table whatever it is, existing or not. */
export function removal(family: Family): string {
  const table = `${tableFamily(family)} ${TABLE}`;
  return `add table ${table}\ndelete table ${table}\n`;
}

/**
 * The chain that remembers clients for so many seconds, still empty (see rememberRules). Durations are few; their chains stay until the table
 * is written anew.
 */
export function rememberChainScript(family: Family, seconds: number): string {
  const table = `${tableFamily(family)} ${TABLE}`;
  const name = rememberChain(seconds);
  return `add chain ${table} ${name}\nflush chain ${table} ${name}\n`;
}

const TRANSPORTS = ['tcp', 'udp', 'sctp'] as const;

function words(family: Family): { readonly address: string; readonly addressType: string } {
  return family === 4 ? { address: 'ip', addressType: 'ipv4_addr' } : { address: 'ip6', addressType: 'ipv6_addr' };
}

interface Definition {
  readonly noun: 'set' | 'map';
  readonly name: Container | 'affinity' | 'seal';
  readonly body: string;
}

function containers(family: Family): Definition[] {
  const { address, addressType } = words(family);
  const frontend = `${addressType} . inet_proto . inet_service`;
  const verdicts = `{ type ${frontend} : verdict ; }`;
  const slotsTo = `{ typeof ${address} daddr . meta l4proto . th dport . numgen random mod 65536 : ${address} daddr . th dport ; }`;
  const clients = `{ type ${addressType} . ${frontend} : ${addressType} . inet_service ; size ${AFFINITY_SIZE} ; flags dynamic,timeout ; }`;
  return [
    // What becomes of a new connection to an address and port: pick an endpoint, refuse, drop, or judge where it comes from.
    { noun: 'map', name: 'frontends', body: verdicts },
    // Endpoints by slot: of all nodes (or those that topology prefers), and of this node.
    { noun: 'map', name: 'endpoints', body: slotsTo },
    { noun: 'map', name: 'local-endpoints', body: slotsTo },
    // Frontends under externalTrafficPolicy Local: for traffic from outside, and for pods and the node itself.
    { noun: 'map', name: 'local-policy', body: verdicts },
    { noun: 'map', name: 'short-circuit', body: verdicts },
    // Frontends outside the cluster's own addresses: how their sources are masqueraded.
    { noun: 'map', name: 'external', body: verdicts },
    // Frontends with ClientIP affinity: for how long a client is remembered; and the clients with their endpoints.
    { noun: 'map', name: 'sticky', body: verdicts },
    { noun: 'map', name: 'affinity', body: clients },
    // What tells a table of ours from another; see Programmer.
    { noun: 'set', name: 'seal', body: '{ type mark ; }' },
    // Frontends with loadBalancerSourceRanges, and the sources each lets in.
    { noun: 'set', name: 'restricted', body: `{ type ${frontend} ; }` },
    { noun: 'set', name: 'source-ranges', body: `{ type ${frontend} . ${addressType} ; flags interval ; }` },
    // Addresses of Services: their other ports are refused.
    { noun: 'set', name: 'cluster-ips', body: `{ type ${addressType} ; }` },
    { noun: 'set', name: 'load-balancer-ips', body: `{ type ${addressType} ; }` },
    // Endpoints of this node, twice: a pod that reaches itself through its Service.
    { noun: 'set', name: 'hairpin', body: `{ type ${addressType} . ${addressType} ; }` },
  ];
}

interface Chain {
  readonly name: string;
  readonly hook?: string;
  readonly rules: readonly string[];
}

function chains(family: Family, networks: Networks): Chain[] {
  const { address } = words(family);
  const key = `${address} daddr . meta l4proto . th dport`;
  const list = (cidrs: readonly string[]) => `{ ${cidrs.join(', ')} }`;
  const fromPods = networks.podCidrs.length === 0 ? undefined : `${address} saddr ${list(networks.podCidrs)}`;
  const toServices = networks.serviceCidrs.length === 0 ? undefined : `${address} daddr ${list(networks.serviceCidrs)}`;
  const originalIn = (container: Container) =>
    TRANSPORTS.map(
      (transport) =>
        `meta l4proto ${transport} ct original ${address} daddr . meta l4proto . ct original proto-dst vmap @${container}`,
    );
  const picks = (['endpoints', 'local-endpoints'] as const).flatMap((container) =>
    SIZE_CLASSES.map(({ low, high }): Chain => {
      const draw = (below: number) => `dnat to ${key} . numgen random mod ${below} map @${container}`;
      const exact = high === low + 1;
      const rules = exact ? [draw(high)] : [...new Array<string>(DRAWS).fill(draw(high)), draw(low + 1)];
      return { name: `${container === 'endpoints' ? 'pick' : 'pick-local'}-${high}`, rules: [...rules, 'drop'] };
    }),
  );
  return [
    ...picks,
    { name: 'refuse', rules: ['reject'] },
    {
      name: 'local-policy',
      rules: [
        ...(fromPods ? [`${fromPods} ${key} vmap @short-circuit`] : []),
        `fib saddr type local ${key} vmap @short-circuit`,
        `${key} vmap @local-policy`,
      ],
    },
    {
      name: 'services',
      rules: [
        `${key} @restricted ${key} . ${address} saddr != @source-ranges drop`,
        `dnat to ${address} saddr . ${key} map @affinity`,
        `${key} vmap @frontends`,
        `${address} daddr @cluster-ips goto refuse`,
        // The node may own a load-balancer address for purposes of its own; then its other ports are none of our business.
        `${address} daddr @load-balancer-ips fib daddr type != local goto refuse`,
        ...(toServices ? [`${toServices} drop`] : []),
      ],
    },
    { name: 'remember', rules: originalIn('sticky') },
    { name: 'rewrite-source', rules: ['masquerade fully-random'] },
    { name: 'rewrite-node-source', rules: ['fib saddr type local goto rewrite-source'] },
    {
      name: 'source-nat',
      rules: [
        `${address} saddr . ${address} daddr @hairpin goto rewrite-source`,
        ...(fromPods ? [`${fromPods} return`, `ct original ${address} daddr @cluster-ips goto rewrite-source`] : []),
        ...originalIn('external'),
      ],
    },
    // Chains of type nat see the first packet of each connection only.
    {
      name: 'nat-prerouting',
      hook: 'type nat hook prerouting priority -100 ; policy accept ;',
      rules: ['goto services'],
    },
    { name: 'nat-output', hook: 'type nat hook output priority -100 ; policy accept ;', rules: ['goto services'] },
    {
      name: 'nat-input',
      hook: 'type nat hook input priority 100 ; policy accept ;',
      rules: ['ct status dnat goto remember'],
    },
    {
      name: 'nat-postrouting',
      hook: 'type nat hook postrouting priority 100 ; policy accept ;',
      rules: ['ct status dnat jump remember', 'ct status dnat goto source-nat'],
    },
  ];
}
