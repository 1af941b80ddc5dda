/** A BGP speaker as a process of its own, for tests that kill it: configuration and routes as JSON on stdin lines, reports on stdout. */
import { createInterface } from 'node:readline';
import { createLogger, type Ip, parseCidr, parseIp, systemClock } from '@ballast/base';
import { BgpSpeaker, type ExportRoute, type PeerConfig } from '@ballast/bgp';

type PeerText = Omit<PeerConfig, 'address' | 'routerId' | 'sourceAddress' | 'nextHops'> & {
  readonly address: string;
  readonly routerId: string;
  readonly sourceAddress?: string;
  readonly nextHops?: { readonly 4?: string; readonly 6?: string };
};

/** One line of input. */
export type ChildCommand =
  | { readonly kind: 'peers'; readonly peers: readonly PeerText[] }
  | {
      readonly kind: 'routes';
      readonly peer: string;
      readonly announce: readonly (Omit<ExportRoute, 'prefix'> & { readonly prefix: string })[];
      readonly withdraw: readonly string[];
    }
  | { readonly kind: 'stop' };

const ip = (text: string): Ip => {
  const parsed = parseIp(text);
  if (!parsed) throw new Error(`${text} is not an address`);
  return parsed;
};
const cidr = (text: string) => {
  const parsed = parseCidr(text);
  if (!parsed) throw new Error(`${text} is not a prefix`);
  return parsed;
};

const listen = process.argv[2];
const speaker = new BgpSpeaker({
  clock: systemClock,
  logger: createLogger({ level: 'debug' }),
  ...(listen === undefined ? {} : { listen: [{ address: ip(listen), port: 179 }] }),
  onState: (report) => process.stdout.write(`${JSON.stringify(report)}\n`),
});

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line) as ChildCommand;
  switch (command.kind) {
    case 'peers':
      speaker.configure(
        command.peers.map(({ address, routerId, sourceAddress, nextHops, ...rest }) => ({
          ...rest,
          address: ip(address),
          routerId: ip(routerId),
          ...(sourceAddress === undefined ? {} : { sourceAddress: ip(sourceAddress) }),
          nextHops: {
            ...(nextHops?.[4] === undefined ? {} : { 4: ip(nextHops[4]) }),
            ...(nextHops?.[6] === undefined ? {} : { 6: ip(nextHops[6]) }),
          },
        })),
      );
      break;
    case 'routes':
      speaker.update([
        {
          peer: command.peer,
          announce: command.announce.map((route) => ({ ...route, prefix: cidr(route.prefix) })),
          withdraw: command.withdraw.map(cidr),
        },
      ]);
      break;
    case 'stop':
      await speaker[Symbol.asyncDispose]();
      break;
    default:
      command satisfies never;
  }
}
