import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { run, runAnyExit } from '@ballast/linux';
import type { Order } from './peer.ts';

/**
 * A node with three pods and a client on its LAN, in network namespaces. Names carry the process id of the test, and namespaces of tests
 * that are dead are removed first, so a killed run leaves nothing behind for long.
 */
const PREFIX = 'bpx';

export const CLIENT_IP = '192.0.2.9';
export const NODE_IP = '192.0.2.11';
export const POD_PORT = 8080;

const PODS = ['pod-1', 'pod-2', 'pod-3'] as const;
export type PodName = (typeof PODS)[number];
export type HostName = PodName | 'node' | 'client';

/** Addresses of a pod. */
export function podIp(pod: PodName, family: 4 | 6 = 4): string {
  const last = PODS.indexOf(pod) + 2;
  return family === 4 ? `10.42.0.${last}` : `fd42::${last}`;
}

export class TestNetwork implements AsyncDisposable {
  readonly #peers = new Map<HostName, Peer>();

  /** The namespace of a host, as `ip netns` knows it. */
  netns(host: HostName): string {
    return `${PREFIX}-${process.pid}-${host}`;
  }

  static async create(): Promise<TestNetwork> {
    await removeStaleNamespaces();
    const network = new TestNetwork();
    try {
      await network.#build();
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
    return network;
  }

  /** Lets a host do something; see Order. */
  order(host: HostName, order: Order): Promise<string[]> {
    const peer = this.#peers.get(host);
    if (!peer) throw new Error(`no peer runs on ${host}`);
    return peer.order(order);
  }

  /** Runs a command on a host and returns what it printed. */
  exec(host: HostName, command: string, ...args: string[]): Promise<string> {
    return run('ip', ['netns', 'exec', this.netns(host), command, ...args]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const peer of this.#peers.values()) peer.stop();
    for (const host of [...PODS, 'node', 'client'] as const) {
      await runAnyExit('ip', ['netns', 'delete', this.netns(host)]);
    }
  }

  async #build(): Promise<void> {
    const node = this.netns('node');
    const client = this.netns('client');
    const hosts = [...PODS, 'node', 'client'] as const;
    const lines = [
      ...hosts.map((host) => `netns add ${this.netns(host)}`),
      ...hosts.map((host) => `-n ${this.netns(host)} link set lo up`),
      `-n ${node} link add cni0 type bridge`,
      `-n ${node} address add 10.42.0.1/24 dev cni0`,
      `-n ${node} address add fd42::1/64 dev cni0 nodad`,
      `-n ${node} link set cni0 up`,
      `-n ${node} link add eth0 type veth peer name eth0 netns ${client}`,
      `-n ${node} address add ${NODE_IP}/24 dev eth0`,
      `-n ${node} address add 2001:db8::11/64 dev eth0 nodad`,
      `-n ${node} link set eth0 up`,
      `-n ${client} address add ${CLIENT_IP}/24 dev eth0`,
      `-n ${client} address add 2001:db8::9/64 dev eth0 nodad`,
      `-n ${client} link set eth0 up`,
      `-n ${client} route add default via ${NODE_IP}`,
      `-n ${client} route add 192.0.2.200/29 via ${NODE_IP}`,
      `-n ${client} -6 route add default via 2001:db8::11`,
      // Addresses of Services must have a route on the node, as they have by its default route in real life.
      `-n ${node} route add default via ${CLIENT_IP}`,
      `-n ${node} -6 route add default via 2001:db8::9`,
      ...PODS.flatMap((pod) => {
        const netns = this.netns(pod);
        return [
          `-n ${node} link add ${pod} type veth peer name eth0 netns ${netns}`,
          `-n ${node} link set ${pod} master cni0 up`,
          // As the bridge plugin sets it: with br_netfilter, a frame may have to leave by the port that it came in.
          `-n ${node} link set ${pod} type bridge_slave hairpin on`,
          `-n ${netns} address add ${podIp(pod)}/24 dev eth0`,
          `-n ${netns} address add ${podIp(pod, 6)}/64 dev eth0 nodad`,
          `-n ${netns} link set eth0 up`,
          `-n ${netns} route add default via 10.42.0.1`,
          `-n ${netns} -6 route add default via fd42::1`,
        ];
      }),
    ];
    for (const line of lines) await run('ip', line.split(' '));
    await this.exec('node', 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1');
    for (const host of hosts) this.#peers.set(host, new Peer(this.netns(host), host));
    for (const peer of this.#peers.values()) await peer.listening;
  }
}

/** Removes namespaces whose test process no longer lives. */
async function removeStaleNamespaces(): Promise<void> {
  const list = await runAnyExit('ip', ['netns', 'list']);
  for (const line of list.stdout.split('\n')) {
    const name = line.split(' ')[0] ?? '';
    const pid = new RegExp(`^${PREFIX}-(\\d+)-`).exec(name)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    await runAnyExit('ip', ['netns', 'delete', name]);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

class Peer {
  readonly listening: Promise<unknown>;
  readonly #process: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  #tail: Promise<unknown>;

  constructor(netns: string, name: string) {
    const script = fileURLToPath(new URL('peer.ts', import.meta.url));
    // A peer ends when its stdin does, so it cannot outlive a killed test.
    this.#process = spawn('ip', ['netns', 'exec', netns, process.execPath, script, name, String(POD_PORT)], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines: Interface = createInterface({ input: this.#process.stdout ?? process.stdin });
    this.#answers = lines[Symbol.asyncIterator]();
    this.listening = this.#answers.next();
    this.#tail = this.listening;
  }

  order(order: Order): Promise<string[]> {
    const answer = this.#tail.then(async () => {
      this.#process.stdin?.write(`${JSON.stringify(order)}\n`);
      const { value, done } = await this.#answers.next();
      if (done) throw new Error('the peer ended');
      return JSON.parse(value) as string[];
    });
    this.#tail = answer.catch(() => {});
    return answer;
  }

  stop(): void {
    this.#process.stdin?.end();
  }
}
