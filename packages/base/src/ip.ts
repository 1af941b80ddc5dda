import { isIPv4, isIPv6 } from 'node:net';

/** An address as a number; `value` is below 2^32 (family 4) or 2^128 (family 6). Zone identifiers are not addresses. */
export interface Ip {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** A prefix; the host bits of `ip` are zero. */
export interface Cidr {
  readonly ip: Ip;
  readonly prefixLength: number;
}

/** Addresses from `first` to `last`, both included, of one family. */
export interface IpRange {
  readonly first: Ip;
  readonly last: Ip;
}

export const IP_BITS: Readonly<Record<4 | 6, number>> = { 4: 32, 6: 128 };

/** Parses the strict text form (no leading zeros, no zone); undefined when it is not an address. IPv4-mapped IPv6 stays family 6. */
export function parseIp(text: string): Ip | undefined {
  if (isIPv4(text)) return { family: 4, value: parseIpv4(text) };
  if (!isIPv6(text) || text.includes('%')) return undefined;
  let groups = text;
  const lastColon = text.lastIndexOf(':');
  const tail = text.slice(lastColon + 1);
  if (tail.includes('.')) {
    const value = parseIpv4(tail);
    groups = `${text.slice(0, lastColon + 1)}${(value >> 16n).toString(16)}:${(value & 0xffffn).toString(16)}`;
  }
  const [head = '', rest] = groups.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = rest === undefined || rest === '' ? [] : rest.split(':');
  const zeros = rest === undefined ? 0 : 8 - before.length - after.length;
  const all = [...before, ...new Array<string>(zeros).fill('0'), ...after];
  return { family: 6, value: all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n) };
}

function parseIpv4(text: string): bigint {
  return text.split('.').reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n);
}

/** Canonical text form: dotted quad, or RFC 5952 (section 4) for IPv6. */
export function formatIp(ip: Ip): string {
  if (ip.family === 4) {
    const value = Number(ip.value);
    return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
  }
  const groups = Array.from({ length: 8 }, (_, i) => Number((ip.value >> BigInt(112 - 16 * i)) & 0xffffn));
  let bestStart = -1;
  let bestLength = 1;
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > bestLength) [bestStart, bestLength] = [start, length];
  }
  const hex = groups.map((group) => group.toString(16));
  if (bestStart < 0) return hex.join(':');
  return `${hex.slice(0, bestStart).join(':')}::${hex.slice(bestStart + bestLength).join(':')}`;
}

/** The canonical form of an address text, or undefined when it is not an address. */
export function canonicalIp(text: string): string | undefined {
  const ip = parseIp(text);
  return ip && formatIp(ip);
}

/** The 4 or 16 bytes of an address in network order. */
export function ipToBytes(ip: Ip): Uint8Array {
  const length = IP_BITS[ip.family] / 8;
  const bytes = new Uint8Array(length);
  let value = ip.value;
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = Number(value & 0xffn);
    value >>= 8n;
  }
  return bytes;
}

/** The address in 4 or 16 bytes of network order; any other length is a bug of the caller. */
export function ipFromBytes(bytes: Uint8Array): Ip {
  if (bytes.length !== 4 && bytes.length !== 16)
    throw new RangeError(`an address has 4 or 16 bytes, not ${bytes.length}`);
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return { family: bytes.length === 4 ? 4 : 6, value };
}

export function ipEquals(a: Ip, b: Ip): boolean {
  return a.family === b.family && a.value === b.value;
}

/** Orders by family, then by value: negative, zero or positive. */
export function compareIp(a: Ip, b: Ip): number {
  if (a.family !== b.family) return a.family - b.family;
  return a.value < b.value ? -1 : a.value > b.value ? 1 : 0;
}

function hostMask(family: 4 | 6, prefixLength: number): bigint {
  return (1n << BigInt(IP_BITS[family] - prefixLength)) - 1n;
}

/** The prefix of `prefixLength` bits that holds `ip`. */
export function cidrOf(ip: Ip, prefixLength: number): Cidr {
  return { ip: { family: ip.family, value: ip.value & ~hostMask(ip.family, prefixLength) }, prefixLength };
}

/** Parses `address/length`. Host bits are cleared; pass `strict` to refuse them. Undefined when it is not a prefix. */
export function parseCidr(text: string, options: { strict?: boolean } = {}): Cidr | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const ip = parseIp(text.slice(0, slash));
  const lengthText = text.slice(slash + 1);
  if (!ip || !/^(0|[1-9][0-9]{0,2})$/.test(lengthText)) return undefined;
  const prefixLength = Number(lengthText);
  if (prefixLength > IP_BITS[ip.family]) return undefined;
  const cidr = cidrOf(ip, prefixLength);
  return options.strict && cidr.ip.value !== ip.value ? undefined : cidr;
}

export function formatCidr(cidr: Cidr): string {
  return `${formatIp(cidr.ip)}/${cidr.prefixLength}`;
}

export function cidrContains(cidr: Cidr, ip: Ip): boolean {
  return ip.family === cidr.ip.family && (ip.value & ~hostMask(ip.family, cidr.prefixLength)) === cidr.ip.value;
}

export function cidrRange(cidr: Cidr): IpRange {
  const { family, value } = cidr.ip;
  return { first: cidr.ip, last: { family, value: value | hostMask(family, cidr.prefixLength) } };
}

/** The address `offset` places after the first of the prefix; a RangeError when that is outside. */
export function cidrAddress(cidr: Cidr, offset: number | bigint): Ip {
  const ip = { family: cidr.ip.family, value: cidr.ip.value + BigInt(offset) };
  if (!cidrContains(cidr, ip)) throw new RangeError(`offset ${offset} is outside ${formatCidr(cidr)}`);
  return ip;
}

/** Parses `first-last` (blanks round the dash allowed) or a prefix. Undefined when it is neither, or when first > last. */
export function parseIpRange(text: string): IpRange | undefined {
  const parts = text.split('-');
  if (parts.length === 1) {
    const cidr = parseCidr(text.trim());
    return cidr && cidrRange(cidr);
  }
  const first = parseIp((parts[0] ?? '').trim());
  const last = parseIp((parts[1] ?? '').trim());
  if (parts.length !== 2 || !first || !last || first.family !== last.family || first.value > last.value)
    return undefined;
  return { first, last };
}

export function rangeSize(range: IpRange): bigint {
  return range.last.value - range.first.value + 1n;
}

export function rangeContains(range: IpRange, ip: Ip): boolean {
  return ip.family === range.first.family && ip.value >= range.first.value && ip.value <= range.last.value;
}

export function rangesOverlap(a: IpRange, b: IpRange): boolean {
  return a.first.family === b.first.family && a.first.value <= b.last.value && b.first.value <= a.last.value;
}

/** The fewest prefixes that cover exactly this range, in order. */
export function rangeToCidrs(range: IpRange): Cidr[] {
  const { family } = range.first;
  const bits = IP_BITS[family];
  const cidrs: Cidr[] = [];
  let value = range.first.value;
  while (value <= range.last.value) {
    let hostBits = 0;
    while (hostBits < bits) {
      const size = 1n << BigInt(hostBits + 1);
      if (value % size !== 0n || value + size - 1n > range.last.value) break;
      hostBits++;
    }
    cidrs.push({ ip: { family, value }, prefixLength: bits - hostBits });
    value += 1n << BigInt(hostBits);
  }
  return cidrs;
}
