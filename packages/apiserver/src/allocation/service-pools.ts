import { type Cidr, cidrRange, formatCidr, formatIp, parseCidr, parseIp } from '@ballast/base';
import type { WatchCache } from '../cache/watch-cache.ts';
import { isJsonObject, listAt, numberAt, textAt } from '../object/api-object.ts';
import { bandOffset, NumberPool } from './number-pool.ts';

/** First and last port, both included. */
export type NodePortRange = readonly [first: number, last: number];

/**
 * The addresses and node ports of Services. What is taken is known from the stored Services at the start; from then on each write takes
 * before and gives back after. One API server owns the pools.
 */
export class ServicePools {
  readonly cidr: Cidr;
  readonly nodePortRange: NodePortRange;
  readonly #addresses: NumberPool;
  readonly #ports: NumberPool;

  constructor(options: {
    readonly serviceCidr: string;
    readonly nodePortRange: NodePortRange;
    readonly random?: () => number;
  }) {
    const cidr = parseCidr(options.serviceCidr, { strict: true });
    if (!cidr) throw new Error(`serviceCidr ${JSON.stringify(options.serviceCidr)} is not a prefix`);
    this.cidr = cidr;
    this.nodePortRange = options.nodePortRange;
    const { first, last } = cidrRange(cidr);
    const size = last.value - first.value + 1n;
    const usableLast = cidr.ip.family === 4 ? last.value - 1n : last.value;
    this.#addresses = new NumberPool(
      {
        first: first.value + 1n,
        last: usableLast,
        dynamicFrom: first.value + 1n + bandOffset(size, 16n, 256n),
      },
      options.random,
    );
    const [firstPort, lastPort] = options.nodePortRange.map(BigInt) as [bigint, bigint];
    const ports = lastPort - firstPort + 1n;
    this.#ports = new NumberPool(
      {
        first: firstPort,
        last: lastPort,
        dynamicFrom: firstPort + bandOffset(ports, 32n, 128n),
      },
      options.random,
    );
  }

  /** The first usable address: that of default/kubernetes. */
  get apiServerAddress(): string {
    return formatIp({ family: this.cidr.ip.family, value: this.cidr.ip.value + 1n });
  }

  /** Takes what the stored Services hold. */
  load(cache: WatchCache): void {
    for (const stored of cache.of('services').objects()) {
      const service = stored.parse();
      for (const address of addressesOf(service)) this.takeAddress(address);
      for (const port of nodePortsOf(service)) this.takePort(port);
    }
  }

  /** Why the address cannot be had, or undefined when it is taken now. */
  takeAddress(text: string): string | undefined {
    const ip = parseIp(text);
    if (!ip || ip.family !== this.cidr.ip.family) return 'the provided network does not match the current range';
    const { first, last } = cidrRange(this.cidr);
    if (ip.value < first.value || ip.value > last.value) return 'the provided network does not match the current range';
    if (!this.#addresses.contains(ip.value)) {
      return `the provided IP (${text}) is not in the valid range. The range of valid IPs is ${formatCidr(this.cidr)}`;
    }
    return this.#addresses.take(ip.value) ? undefined : 'provided IP is already allocated';
  }

  /** Undefined when none is left. */
  takeAnyAddress(): string | undefined {
    const value = this.#addresses.takeAny();
    return value === undefined ? undefined : formatIp({ family: this.cidr.ip.family, value });
  }

  releaseAddress(text: string): void {
    const ip = parseIp(text);
    if (ip) this.#addresses.release(ip.value);
  }

  takePort(port: number): string | undefined {
    if (!this.#ports.contains(BigInt(port))) {
      return `provided port is not in the valid range. The range of valid ports is ${this.nodePortRange.join('-')}`;
    }
    return this.#ports.take(BigInt(port)) ? undefined : 'provided port is already allocated';
  }

  takeAnyPort(): number | undefined {
    const value = this.#ports.takeAny();
    return value === undefined ? undefined : Number(value);
  }

  releasePort(port: number): void {
    this.#ports.release(BigInt(port));
  }
}

/** The cluster addresses a Service holds, without 'None'. */
export function addressesOf(service: unknown): string[] {
  const list = listAt(service, 'spec', 'clusterIPs').map(String);
  const single = textAt(service, 'spec', 'clusterIP');
  const all = list.length > 0 ? list : single ? [single] : [];
  return all.filter((address) => address !== 'None' && address !== '');
}

/** The node ports a Service holds, each once, with its health check port. */
export function nodePortsOf(service: unknown): number[] {
  const ports = listAt(service, 'spec', 'ports').map((port) =>
    isJsonObject(port) ? numberAt(port, 'nodePort') : undefined,
  );
  const health = numberAt(service, 'spec', 'healthCheckNodePort');
  return [...new Set([...ports, health].filter((port): port is number => port !== undefined && port > 0))];
}
