import { isIP } from 'node:net';
import { BallastError } from '@ballast/base';
import { runAnyExit } from './process.ts';

/** A tracked flow: the addresses and ports of its first packet, and of the answers that are expected. */
export interface Flow {
  readonly protocol: string;
  readonly original: FlowTuple;
  readonly reply: FlowTuple;
}

export interface FlowTuple {
  readonly source: string;
  readonly destination: string;
  readonly sourcePort: number;
  readonly destinationPort: number;
}

/** Parses a line of `conntrack -L`; undefined for flows without ports and for anything else. */
export function parseFlow(line: string): Flow | undefined {
  const protocol = /^\s*(?:ipv[46]\s+\d+\s+)?([a-z]+)\s+\d+\s/.exec(line)?.[1];
  if (protocol === undefined) return undefined;
  const tuples = [...line.matchAll(/src=(\S+) dst=(\S+) sport=(\d{1,5}) dport=(\d{1,5})(?=\s|$)/g)].map(
    (match): FlowTuple => {
      const [, source = '', destination = '', sourcePort = '', destinationPort = ''] = match;
      return { source, destination, sourcePort: Number(sourcePort), destinationPort: Number(destinationPort) };
    },
  );
  const [original, reply] = tuples;
  if (tuples.length !== 2 || !original || !reply) return undefined;
  const addresses = [original.source, original.destination, reply.source, reply.destination];
  return addresses.every((address) => isIP(address) !== 0) ? { protocol, original, reply } : undefined;
}

export interface ConntrackOptions {
  readonly signal?: AbortSignal;
  readonly netns?: string;
}

/** All flows of one protocol and family. */
export async function listFlows(
  selector: { readonly protocol: 'udp' | 'tcp' | 'sctp'; readonly family: 4 | 6 },
  options: ConntrackOptions = {},
): Promise<Flow[]> {
  const args = ['-L', '-f', selector.family === 4 ? 'ipv4' : 'ipv6', '-p', selector.protocol];
  const { stdout } = await conntrack(args, undefined, options);
  return stdout.split('\n').flatMap((line) => parseFlow(line) ?? []);
}

/** Forgets these flows, so that their next packet is treated as a first one. Flows that ended meanwhile do not matter. */
export async function forgetFlows(flows: readonly Flow[], options: ConntrackOptions = {}): Promise<void> {
  if (flows.length === 0) return;
  const lines = flows.map(({ protocol, original }) =>
    [
      `-D -f ${isIP(original.source) === 6 ? 'ipv6' : 'ipv4'} -p ${protocol} --orig-src ${original.source} --orig-dst ${original.destination}`,
      `--orig-port-src ${original.sourcePort} --orig-port-dst ${original.destinationPort}`,
    ].join(' '),
  );
  const { exitCode, stderr } = await conntrack(['-R', '-'], `${lines.join('\n')}\n`, options);
  // 1 = one of them was gone already.
  if (exitCode > 1) throw new BallastError('conntrack-failed', `conntrack failed (exit ${exitCode}): ${stderr.trim()}`);
}

function conntrack(args: readonly string[], input: string | undefined, options: ConntrackOptions) {
  // conntrack opens /dev/stdin by name, which fails for the sockets that Node gives its children; hence the cat.
  const line = `cat | conntrack ${args.join(' ')}`;
  const words = input === undefined ? ['conntrack', ...args] : ['sh', '-c', line];
  const [command = 'conntrack', ...rest] =
    options.netns === undefined ? words : ['ip', 'netns', 'exec', options.netns, ...words];
  return runAnyExit(command, rest, {
    ...(input === undefined ? {} : { input }),
    ...(options.signal ? { signal: options.signal } : {}),
  });
}
