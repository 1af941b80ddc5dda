/**
 * Which Service holds which addresses, and which it could have. Pure: what it knows is what Services carry in their status, so a new
 * allocator that is told all of them knows as much as the old one did.
 *
 * Departs from MetalLB in three points. Pools without a limit are tried by name and not at random. A Service with a sharing key goes to
 * an address that its key already has, if it may, rather than to the first that is free. A namespace selector that matches no namespace
 * lets nobody in.
 */
import { formatIp, type Ip } from '@ballast/base';
import { type Labels, matchesLabelSelector } from '@ballast/kube';
import type { Pool } from '../configuration/configuration.ts';
import { FreeAddresses, poolContains, poolSize } from './pool-addresses.ts';
import type { ServiceRequest } from './service-request.ts';

/** The addresses of a Service, all from one pool. */
export interface Allocation {
  readonly pool: string;
  readonly addresses: readonly Ip[];
}

export type AllocationResult = { readonly allocation: Allocation } | { readonly why: string };

export interface PoolUse {
  readonly size: Readonly<Record<4 | 6, number>>;
  readonly used: Readonly<Record<4 | 6, number>>;
}

interface Holder {
  readonly allocation: Allocation;
  readonly sharingKey: string;
  readonly backendKey: string;
  readonly ports: readonly string[];
}

export class Allocator {
  #pools: readonly Pool[] = [];
  #labelsOfNamespace: (namespace: string) => Labels = () => ({});
  readonly #holders = new Map<string, Holder>();
  readonly #usersOf = new Map<string, Set<string>>();
  #free = new Map<string, FreeAddresses>();

  /** Changes the pools; what Services hold stays until they are assigned anew. */
  configure(options: {
    readonly pools: readonly Pool[];
    readonly labelsOfNamespace: (namespace: string) => Labels;
  }): void {
    this.#pools = options.pools;
    this.#labelsOfNamespace = options.labelsOfNamespace;
    this.#free = new Map(options.pools.map((pool) => [pool.name, new FreeAddresses(pool)]));
  }

  allocationOf(key: string): Allocation | undefined {
    return this.#holders.get(key)?.allocation;
  }

  /** Addresses in use of one pool, and how many it has. A shared address counts once. */
  useOf(poolName: string): PoolUse | undefined {
    const pool = this.#pools.find(({ name }) => name === poolName);
    if (!pool) return undefined;
    const seen = new Set<string>();
    const used = { 4: 0, 6: 0 };
    for (const { allocation } of this.#holders.values()) {
      if (allocation.pool !== poolName) continue;
      for (const ip of allocation.addresses) {
        const text = formatIp(ip);
        if (!seen.has(text)) used[ip.family] += 1;
        seen.add(text);
      }
    }
    return { size: poolSize(pool), used };
  }

  /** Gives up what a Service holds; true when it held anything. */
  release(key: string): boolean {
    const holder = this.#holders.get(key);
    if (!holder) return false;
    this.#holders.delete(key);
    for (const ip of holder.allocation.addresses) {
      const text = formatIp(ip);
      const users = this.#usersOf.get(text);
      users?.delete(key);
      if (users?.size !== 0) continue;
      this.#usersOf.delete(text);
      for (const free of this.#free.values()) free.release(ip);
    }
    return true;
  }

  /** Lets a Service hold exactly these addresses, if they are in one pool that it may use and nobody objects. */
  assign(request: ServiceRequest, addresses: readonly Ip[]): AllocationResult {
    const pool = this.#pools.find((candidate) => addresses.every((ip) => poolContains(candidate, ip)));
    const texts = addresses.map(formatIp);
    if (!pool) return { why: `["${texts.join('" "')}"] is not allowed in config` };
    const refusal = this.#refusal(pool, request) ?? this.#conflict(request, addresses);
    if (refusal !== undefined) return { why: refusal };
    return { allocation: this.#hold(request, { pool: pool.name, addresses }) };
  }

  /** Finds addresses for a Service and lets it hold them in place of what it held. On failure nothing changes. */
  allocate(request: ServiceRequest): AllocationResult {
    if (request.addresses.length > 0) return this.assign(request, request.addresses);
    if (request.pool !== undefined) {
      const pool = this.#pools.find(({ name }) => name === request.pool);
      if (!pool) return { why: `unknown pool "${request.pool}"` };
      const refusal = this.#refusal(pool, request);
      if (refusal !== undefined) return { why: refusal };
      return (
        this.#fromPools(request, [pool]) ?? {
          why: `no available IPs in pool "${pool.name}" for ${this.#familyText(request)} IPFamily`,
        }
      );
    }
    const automatic = this.#pools.filter((pool) => pool.autoAssign && this.#refusal(pool, request) === undefined);
    const byName = (a: Pool, b: Pool) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
    const priority = (pool: Pool) => pool.allocation?.priority ?? Number.POSITIVE_INFINITY;
    const limited = automatic
      .filter((pool) => pool.allocation)
      .sort((a, b) => (priority(a) === priority(b) ? byName(a, b) : priority(a) - priority(b)));
    const open = automatic.filter((pool) => !pool.allocation).sort(byName);
    return this.#fromPools(request, limited) ?? this.#fromPools(request, open) ?? { why: 'no available IPs' };
  }

  /** Tries to add the family that a dual-stack Service lacks, from the pool it is in. */
  complete(request: ServiceRequest): AllocationResult | undefined {
    const held = this.#holders.get(request.key)?.allocation;
    const pool = this.#pools.find(({ name }) => name === held?.pool);
    const missing = request.families.filter((family) => !held?.addresses.some((ip) => ip.family === family));
    if (!held || !pool || missing.length === 0) return undefined;
    const added = missing.map((family) => this.#pick(pool, request, family));
    if (added.some((ip) => ip === undefined))
      return { why: `no available IPs in pool "${pool.name}" for the second family` };
    const addresses = [...held.addresses, ...added.filter((ip) => ip !== undefined)];
    return { allocation: this.#hold(request, { pool: pool.name, addresses }) };
  }

  #fromPools(request: ServiceRequest, pools: readonly Pool[]): AllocationResult | undefined {
    const choices =
      request.families.length > 1 && request.acceptsOneFamily
        ? [request.families, ...request.families.map((one) => [one])]
        : [request.families];
    for (const families of choices) {
      for (const pool of pools) {
        const addresses = families.map((family) => this.#pick(pool, request, family)).filter((ip) => ip !== undefined);
        if (addresses.length === families.length)
          return { allocation: this.#hold(request, { pool: pool.name, addresses }) };
      }
    }
    return undefined;
  }

  #pick(pool: Pool, request: ServiceRequest, family: 4 | 6): Ip | undefined {
    if (request.sharingKey !== '') {
      for (const holder of this.#holders.values()) {
        if (holder.sharingKey !== request.sharingKey || holder.allocation.pool !== pool.name) continue;
        const ip = holder.allocation.addresses.find((address) => address.family === family);
        if (ip && poolContains(pool, ip) && this.#conflict(request, [ip]) === undefined) return ip;
      }
    }
    return this.#free.get(pool.name)?.first(family, (text) => this.#usersOf.has(text));
  }

  /** Why a Service may not use a pool. */
  #refusal(pool: Pool, request: ServiceRequest): string | undefined {
    const { allocation } = pool;
    if (!allocation) return undefined;
    const namespaceLimits = allocation.namespaces.length > 0 || allocation.namespaceSelectors.length > 0;
    const labels = this.#labelsOfNamespace(request.namespace);
    const namespaceFits =
      !namespaceLimits ||
      allocation.namespaces.includes(request.namespace) ||
      allocation.namespaceSelectors.some((selector) => matchesLabelSelector(selector, labels));
    const serviceFits =
      allocation.serviceSelectors.length === 0 ||
      allocation.serviceSelectors.some((selector) => matchesLabelSelector(selector, request.labels));
    if (namespaceFits && serviceFits) return undefined;
    return `pool ${pool.name} not compatible for ip assigning ${request.key}`;
  }

  /** Why a Service may not have addresses that others hold. */
  #conflict(request: ServiceRequest, addresses: readonly Ip[]): string | undefined {
    for (const ip of addresses) {
      const text = formatIp(ip);
      for (const user of this.#usersOf.get(text) ?? []) {
        const holder = this.#holders.get(user);
        if (user === request.key || !holder) continue;
        if (
          request.sharingKey === '' ||
          holder.sharingKey !== request.sharingKey ||
          holder.backendKey !== request.backendKey
        ) {
          return `can't change sharing key for "${request.key}", address "${text}" also in use by ${user}`;
        }
        const port = request.ports.find((candidate) => holder.ports.includes(candidate));
        if (port !== undefined) return `port ${port} is already in use on "${text}" by ${user}`;
      }
    }
    return undefined;
  }

  #hold(request: ServiceRequest, allocation: Allocation): Allocation {
    this.release(request.key);
    const { sharingKey, backendKey, ports } = request;
    this.#holders.set(request.key, { allocation, sharingKey, backendKey, ports });
    for (const ip of allocation.addresses) {
      const text = formatIp(ip);
      const users = this.#usersOf.get(text);
      if (users) users.add(request.key);
      else this.#usersOf.set(text, new Set([request.key]));
    }
    return allocation;
  }

  #familyText(request: ServiceRequest): string {
    return request.families.length > 1 ? 'dual' : `ipv${request.families[0] ?? 4}`;
  }
}
