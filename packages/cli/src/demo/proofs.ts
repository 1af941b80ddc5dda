import type { Lab } from '@ballast/lab';
import { LAN } from '@ballast/lab';

/** One answer of the sample application. */
export interface HttpAnswer {
  readonly pod: string;
  readonly node: string;
  readonly client: string;
}

/** Parses what the sample application answers to /json/. */
export function parseHello(body: string): HttpAnswer {
  const { pod, node, client } = JSON.parse(body) as Record<string, unknown>;
  return { pod: String(pod), node: String(node), client: String(client) };
}

/** Fetches the sample application from the LAN's client, each time over a connection of its own. */
export async function fetchFromLan(lab: Lab, address: string, times: number): Promise<HttpAnswer[]> {
  const url = `http://${address}/json/`;
  // One program for all: each URL gets a fresh connection because the server closes it.
  const argv = ['curl', '-sS', '--fail', '--max-time', '3', ...new Array<string>(times).fill(url)];
  const body = await lab.machine('client').run(argv);
  return body
    .split('\n')
    .filter((line) => line !== '')
    .map(parseHello);
}

/** Whose MAC address the client's neighbour table holds for `address`, as the name of a machine. */
export async function neighbourOf(lab: Lab, address: string): Promise<{ mac: string; machine: string } | undefined> {
  const text = await lab.machine('client').run(['ip', '-json', 'neigh', 'show', address]);
  const [entry] = JSON.parse(text) as { lladdr?: string }[];
  if (entry?.lladdr === undefined) return undefined;
  const machine = lab.topology.machines.find(({ mac }) => mac === entry.lladdr)?.name ?? 'a machine unknown to the lab';
  return { mac: entry.lladdr, machine };
}

export interface BgpRoute {
  readonly prefix: string;
  /** Addresses of the next hops that are in the router's forwarding table, with the machine each belongs to. */
  readonly nextHops: readonly { readonly address: string; readonly machine: string }[];
}

/** What FRR answers to `show ip route PREFIX json`, reduced to the next hops that forward. */
export function parseFrrRoute(text: string): { prefix: string; nextHops: string[] } | undefined {
  const routes = JSON.parse(text) as Record<
    string,
    { protocol?: string; selected?: boolean; nexthops?: { ip?: string; fib?: boolean }[] }[]
  >;
  for (const [prefix, entries] of Object.entries(routes)) {
    const route = entries.find((entry) => entry.protocol === 'bgp' && entry.selected);
    const nextHops = (route?.nexthops ?? []).flatMap(({ ip, fib }) => (ip !== undefined && fib ? [ip] : []));
    if (nextHops.length > 0) return { prefix, nextHops: nextHops.sort() };
  }
  return undefined;
}

export async function bgpRoute(lab: Lab, address: string): Promise<BgpRoute | undefined> {
  const text = await lab.machine('router').run(['vtysh', '-c', `show ip route ${address}/32 json`]);
  const route = parseFrrRoute(text);
  if (!route) return undefined;
  const named = route.nextHops.map((hop) => ({
    address: hop,
    machine: lab.topology.machines.find((machine) => machine.address === hop)?.name ?? '?',
  }));
  return { prefix: route.prefix, nextHops: named };
}

/** Asks the cluster's DNS from the LAN; the addresses it answers. */
export async function digFromLan(lab: Lab, name: string): Promise<string[]> {
  const argv = ['dig', '+short', '+tries=1', '+time=1', `@${LAN.dns}`, name, 'A'];
  const text = await lab.machine('client').run(argv);
  return text.split('\n').filter((line) => /^\d+\.\d+\.\d+\.\d+$/.test(line));
}
