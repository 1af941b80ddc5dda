import type { ResourceRecord } from '../../wire/message.ts';
import { isWithin, type Name, parentOf } from '../../wire/name.ts';
import { TYPE } from '../../wire/registry.ts';

/** What a zone has to say to a question. */
export type ZoneAnswer =
  | { readonly kind: 'answer'; readonly answers: readonly ResourceRecord[] }
  /** The chain of aliases leads out of the zone, to `target`. */
  | { readonly kind: 'leaves'; readonly answers: readonly ResourceRecord[]; readonly target: Name }
  /** Another server is responsible below `authorities`. */
  | { readonly kind: 'referral'; readonly authorities: readonly ResourceRecord[] }
  | { readonly kind: 'nodata'; readonly answers: readonly ResourceRecord[] }
  | { readonly kind: 'nxdomain'; readonly answers: readonly ResourceRecord[] }
  /** Aliases lead in a circle. */
  | { readonly kind: 'loop' };

/** Aliases followed for one question. */
const MAX_CHAIN = 8;

/** The records of one zone, looked up as RFC 1034, section 4.3.2 and RFC 4592 say. Owners are in lower case. */
export class Zone {
  readonly origin: Name;
  readonly soa: ResourceRecord;
  /** By owner; an owner without records is an empty non-terminal. */
  readonly #nodes = new Map<Name, ResourceRecord[]>();

  /** An Error says why the records are no zone. */
  static of(origin: Name, records: readonly ResourceRecord[]): Zone | Error {
    const soas = records.filter(({ name, type }) => type === TYPE.SOA && name === origin);
    const [soa, second] = soas;
    if (!soa) return new Error(`there is no SOA record at ${origin}`);
    if (second) return new Error(`there are ${soas.length} SOA records`);
    const outside = records.find(({ name }) => !isWithin(name, origin));
    if (outside) return new Error(`${outside.name} is not in the zone ${origin}`);
    return new Zone(origin, soa, records);
  }

  constructor(origin: Name, soa: ResourceRecord, records: readonly ResourceRecord[]) {
    this.origin = origin;
    this.soa = soa;
    for (const record of records) {
      for (let name = record.name; name !== origin && !this.#nodes.has(name); name = parentOf(name))
        this.#nodes.set(name, []);
      const node = this.#nodes.get(record.name) ?? [];
      node.push(record);
      this.#nodes.set(record.name, node);
    }
  }

  get serial(): number {
    return this.soa.data.kind === 'SOA' ? this.soa.data.serial : 0;
  }

  lookup(name: Name, type: number): ZoneAnswer {
    const answers: ResourceRecord[] = [];
    let wanted = name;
    for (let step = 0; step <= MAX_CHAIN; step++) {
      const cut = this.#cutAbove(wanted, type);
      if (cut)
        return answers.length > 0
          ? { kind: 'leaves', answers, target: wanted }
          : { kind: 'referral', authorities: cut };
      const synthesised = this.#alias(wanted);
      const node = synthesised ? synthesised : this.#node(wanted);
      if (!node) return { kind: 'nxdomain', answers };
      const found = node.filter((record) => record.type === type || type === TYPE.ANY);
      if (found.length > 0 && !synthesised) return { kind: 'answer', answers: [...answers, ...found] };
      const alias = node.find((record) => record.data.kind === 'CNAME');
      if (alias?.data.kind !== 'CNAME') return { kind: 'nodata', answers };
      answers.push(...node.filter((record) => record.type === TYPE.CNAME || record.type === TYPE.DNAME));
      if (type === TYPE.CNAME) return { kind: 'answer', answers };
      wanted = alias.data.target.toLowerCase();
      if (!isWithin(wanted, this.origin)) return { kind: 'leaves', answers, target: wanted };
    }
    return { kind: 'loop' };
  }

  /** Addresses in the zone of the names that these records lead to. */
  addressesFor(records: readonly ResourceRecord[]): ResourceRecord[] {
    const targets = new Set<Name>();
    for (const { data } of records) {
      if (data.kind === 'MX') targets.add(data.exchange.toLowerCase());
      if (data.kind === 'NS' || data.kind === 'SRV') targets.add(data.target.toLowerCase());
    }
    return [...targets].flatMap((target) =>
      (this.#nodes.get(target) ?? []).filter(({ type }) => type === TYPE.A || type === TYPE.AAAA),
    );
  }

  /** The NS records of a delegation at or above a name; DS at the cut itself belongs to this side (RFC 4035, section 3.1.4.1). */
  #cutAbove(name: Name, type: number): readonly ResourceRecord[] | undefined {
    let cut: readonly ResourceRecord[] | undefined;
    for (let at = name; at !== this.origin; at = parentOf(at)) {
      const servers = (this.#nodes.get(at) ?? []).filter((record) => record.type === TYPE.NS);
      if (servers.length > 0 && !(at === name && type === TYPE.DS)) cut = servers;
    }
    return cut;
  }

  /** RFC 6672: the DNAME above a name, with the CNAME it makes. */
  #alias(name: Name): ResourceRecord[] | undefined {
    for (let at = name; at !== this.origin; ) {
      at = parentOf(at);
      const record = this.#nodes.get(at)?.find(({ data }) => data.kind === 'DNAME');
      if (record?.data.kind !== 'DNAME') continue;
      const target = name.slice(0, name.length - at.length) + record.data.target;
      return [record, { ...record, name, type: TYPE.CNAME, data: { kind: 'CNAME', target } }];
    }
    return undefined;
  }

  /** The records of a name, or those of the wildcard at its closest encloser (RFC 4592, section 3.3.1) under that name. */
  #node(name: Name): readonly ResourceRecord[] | undefined {
    const own = this.#nodes.get(name);
    if (own) return own;
    let encloser = parentOf(name);
    while (encloser !== this.origin && !this.#nodes.has(encloser)) encloser = parentOf(encloser);
    const wildcard = this.#nodes.get(encloser === '.' ? '*.' : `*.${encloser}`);
    return wildcard?.map((record) => ({ ...record, name }));
  }
}
