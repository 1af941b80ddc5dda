import { ByteWriter, type Cidr, formatCidr } from '@ballast/base';
import type { AttributeContext } from './attribute-table.ts';
import type { PathAttributes } from './attributes.ts';
import { afiSafiOf, type Family, familyOfIp, HEADER_BYTES, MAX_MESSAGE_BYTES } from './family.ts';
import { composePrefix, prefixBytes } from './prefix-codec.ts';
import { composeAttributes } from './update-codec.ts';

/** A route as this peer shall see it: all attributes but those that carry the prefix itself. */
export interface OutgoingRoute {
  readonly prefix: Cidr;
  readonly attributes: PathAttributes;
}

interface Entry {
  readonly route: OutgoingRoute;
  /** Equal for routes with equal attributes, also across versions of one route. */
  readonly attributesKey: string;
}

/**
 * What one peer shall know (RFC 4271 section 3.2, Adj-RIB-Out) beside what it was told in this session; each session has its own. `takeUpdates` gives the fewest messages that
 * bring the second to the first: unchanged routes are not repeated, prefixes with equal attributes share a message, and a route that
 * was added and removed between two calls costs nothing.
 */
export class AdjRibOut {
  readonly #wanted = new Map<string, Entry>();
  /** Prefix text to the key of the attributes that the peer was told. */
  readonly #told = new Map<string, { readonly prefix: Cidr; readonly attributesKey: string }>();
  /** Prefix texts whose two sides may differ. */
  readonly #dirty = new Set<string>();

  /** Routes that the peer shall know. */
  get size(): number {
    return this.#wanted.size;
  }

  /** Changes not yet taken. */
  get pending(): number {
    return this.#dirty.size;
  }

  announce(route: OutgoingRoute): void {
    const key = formatCidr(route.prefix);
    this.#wanted.set(key, { route, attributesKey: attributesKeyOf(route.attributes) });
    this.#dirty.add(key);
  }

  withdraw(prefix: Cidr): void {
    const key = formatCidr(prefix);
    this.#wanted.delete(key);
    this.#dirty.add(key);
  }

  clear(): void {
    for (const key of this.#wanted.keys()) this.#dirty.add(key);
    this.#wanted.clear();
  }

  /** The peer asks to be told all routes of a family again (RFC 2918). Withdrawals still owed stay owed. */
  repeat(family: Family): void {
    for (const [key, { route }] of this.#wanted) {
      if (familyOfIp(route.prefix.ip) !== family) continue;
      const told = this.#told.get(key);
      // No attributes have the empty key, so the route is sent again; that it was told stays known.
      if (told) this.#told.set(key, { prefix: told.prefix, attributesKey: '' });
      this.#dirty.add(key);
    }
  }

  /** Whole UPDATE messages for all changes in these families; changes of other families are forgotten. */
  takeUpdates(families: ReadonlySet<Family>, context: AttributeContext): Uint8Array[] {
    const withdrawn: Record<Family, Cidr[]> = { 'ipv4-unicast': [], 'ipv6-unicast': [] };
    const groups = new Map<string, { family: Family; attributes: PathAttributes; prefixes: Cidr[] }>();
    for (const key of this.#dirty) {
      const wanted = this.#wanted.get(key);
      const told = this.#told.get(key);
      if (!wanted) {
        if (told) withdrawn[familyOfIp(told.prefix.ip)].push(told.prefix);
        this.#told.delete(key);
        continue;
      }
      const { prefix, attributes } = wanted.route;
      const family = familyOfIp(prefix.ip);
      if (!families.has(family) || told?.attributesKey === wanted.attributesKey) continue;
      this.#told.set(key, { prefix, attributesKey: wanted.attributesKey });
      const groupKey = `${family} ${wanted.attributesKey}`;
      const group = groups.get(groupKey);
      if (group) group.prefixes.push(prefix);
      else groups.set(groupKey, { family, attributes, prefixes: [prefix] });
    }
    this.#dirty.clear();

    const messages: Uint8Array[] = [];
    for (const family of families) messages.push(...composeWithdrawals(family, withdrawn[family], context));
    for (const group of groups.values()) messages.push(...composeAnnouncements(group, context));
    return messages;
  }
}

/** The End-of-RIB marker of RFC 4724 section 2. */
export function composeEndOfRib(family: Family): Uint8Array {
  if (family === 'ipv4-unicast') return composeRaw(new Uint8Array(), new Uint8Array(), new Uint8Array());
  const attributes = composeAttributes(
    { mpUnreach: { ...afiSafiOf(family), prefixes: [] } },
    { fourOctetAs: true, internal: false },
  );
  return composeRaw(new Uint8Array(), attributes, new Uint8Array());
}

function composeWithdrawals(family: Family, prefixes: readonly Cidr[], context: AttributeContext): Uint8Array[] {
  if (family === 'ipv4-unicast') {
    return chunk(prefixes, MAX_MESSAGE_BYTES - HEADER_BYTES - 4).map((part) =>
      composeRaw(composePrefixes(part), new Uint8Array(), new Uint8Array()),
    );
  }
  return chunk(prefixes, MAX_MESSAGE_BYTES - HEADER_BYTES - 4 - 7).map((part) => {
    const attributes = composeAttributes({ mpUnreach: { ...afiSafiOf(family), prefixes: part } }, context);
    return composeRaw(new Uint8Array(), attributes, new Uint8Array());
  });
}

function composeAnnouncements(
  { family, attributes, prefixes }: { family: Family; attributes: PathAttributes; prefixes: readonly Cidr[] },
  context: AttributeContext,
): Uint8Array[] {
  if (family === 'ipv4-unicast') {
    const bytes = composeAttributes(attributes, context);
    return chunk(prefixes, MAX_MESSAGE_BYTES - HEADER_BYTES - 4 - bytes.length).map((part) =>
      composeRaw(new Uint8Array(), bytes, composePrefixes(part)),
    );
  }
  // IPv6 carries next hop and prefixes in MP_REACH_NLRI; NEXT_HOP must then be absent (RFC 4760 section 3).
  const { nextHop, ...others } = attributes;
  if (!nextHop) return [];
  const othersLength = composeAttributes(others, context).length;
  return chunk(prefixes, MAX_MESSAGE_BYTES - HEADER_BYTES - 4 - othersLength - 4 - 5 - 16).map((part) => {
    const mpReach = { ...afiSafiOf(family), nextHops: [nextHop], prefixes: part };
    return composeRaw(new Uint8Array(), composeAttributes({ ...others, mpReach }, context), new Uint8Array());
  });
}

/** Splits prefixes so that each part fits in `maxBytes`. */
function chunk(prefixes: readonly Cidr[], maxBytes: number): Cidr[][] {
  const parts: Cidr[][] = [];
  let part: Cidr[] = [];
  let size = 0;
  for (const prefix of prefixes) {
    const bytes = prefixBytes(prefix);
    if (size + bytes > maxBytes && part.length > 0) {
      parts.push(part);
      part = [];
      size = 0;
    }
    part.push(prefix);
    size += bytes;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

function composePrefixes(prefixes: readonly Cidr[]): Uint8Array {
  const writer = new ByteWriter(prefixes.length * 5);
  for (const prefix of prefixes) composePrefix(writer, prefix);
  return writer.finish();
}

const TYPE_UPDATE = 2;

function composeRaw(withdrawn: Uint8Array, attributes: Uint8Array, announced: Uint8Array): Uint8Array {
  const writer = new ByteWriter(HEADER_BYTES + 4 + withdrawn.length + attributes.length + announced.length);
  writer.bytes(new Uint8Array(16).fill(0xff)).u16(0).u8(TYPE_UPDATE);
  writer.u16(withdrawn.length).bytes(withdrawn).u16(attributes.length).bytes(attributes).bytes(announced);
  writer.patchU16(16, writer.length);
  return writer.finish();
}

function attributesKeyOf(attributes: PathAttributes): string {
  return JSON.stringify(attributes, (_, value: unknown) => (typeof value === 'bigint' ? value.toString(16) : value));
}
