import { BallastError, cidrRange, formatIp, ipFromBytes, ipToBytes, parseCidr, parseIp } from '@ballast/base';
import type { ElementData, NftElement } from '@ballast/linux';
import type { Container, Element, Family } from './element.ts';

/** What the parts of a key or value are; each takes a multiple of four bytes in the kernel. */
type Part = 'address' | 'protocol' | 'port' | 'slot' | 'range';

const FRONTEND: readonly Part[] = ['address', 'protocol', 'port'];

const KEYS: Readonly<Record<Container, readonly Part[]>> = {
  frontends: FRONTEND,
  endpoints: [...FRONTEND, 'slot'],
  'local-endpoints': [...FRONTEND, 'slot'],
  'local-policy': FRONTEND,
  'short-circuit': FRONTEND,
  external: FRONTEND,
  sticky: FRONTEND,
  restricted: FRONTEND,
  'source-ranges': [...FRONTEND, 'range'],
  'cluster-ips': ['address'],
  'load-balancer-ips': ['address'],
  hairpin: ['address', 'address'],
};

const PROTOCOLS: Readonly<Record<string, number>> = { tcp: 6, udp: 17, sctp: 132 };

/** How long a key of each container is in the kernel, and what its parts are. */
interface Layout {
  readonly parts: readonly Part[];
  readonly size: number;
  readonly isInterval: boolean;
}

function layoutOf(family: Family, parts: readonly Part[]): Layout {
  const addressSize = family === 4 ? 4 : 16;
  const sizes = parts.map((part) => (part === 'address' || part === 'range' ? addressSize : 4));
  return { parts, size: sizes.reduce((sum, size) => sum + size, 0), isInterval: parts.includes('range') };
}

const layoutsOf = (family: Family) =>
  new Map(Object.entries(KEYS).map(([container, parts]) => [container, layoutOf(family, parts)]));
const LAYOUTS = { 4: layoutsOf(4), 6: layoutsOf(6) } as const;
const ENDPOINT = { 4: layoutOf(4, ['address', 'port']), 6: layoutOf(6, ['address', 'port']) } as const;

/** An element in the kernel's form. */
export function encodeElement(family: Family, element: Element): NftElement {
  const layout = LAYOUTS[family].get(element.container);
  if (!layout) throw malformed(element.container);
  const key = encodeParts(family, layout, element.key, 'first');
  const data = element.value === '' ? undefined : encodeValue(family, element.value);
  if (layout.isInterval) {
    const keyEnd = encodeParts(family, layout, element.key, 'last');
    return data ? { key, keyEnd, data } : { key, keyEnd };
  }
  return data ? { key, data } : { key };
}

/** Equal for equal elements. */
export function elementId(element: NftElement): string {
  return element.key.toString('latin1') + (element.keyEnd?.toString('latin1') ?? '');
}

/** Whether two elements of one key carry the same value. */
export function sameData(a: ElementData | undefined, b: ElementData | undefined): boolean {
  if (a?.kind === 'value' && b?.kind === 'value') return a.bytes.equals(b.bytes);
  if (a?.kind === 'goto' && b?.kind === 'goto') return a.chain === b.chain;
  return a?.kind === b?.kind;
}

/** A remembered client, from the kernel's form: client . address . protocol . port : endpoint . port. */
export function decodeClient(
  family: Family,
  { key, data }: NftElement,
): { readonly frontendKey: string; readonly endpoint: string } | undefined {
  const size = family === 4 ? 4 : 16;
  if (key.length !== 2 * size + 8 || data?.kind !== 'value' || data.bytes.length < size + 2) return undefined;
  const address = formatIp(ipFromBytes(key.subarray(size, 2 * size)));
  const number = key[2 * size];
  const protocol = Object.entries(PROTOCOLS).find(([, each]) => each === number)?.[0] ?? String(number);
  const endpoint = formatIp(ipFromBytes(data.bytes.subarray(0, size)));
  return {
    frontendKey: `${address} ${protocol} ${key.readUInt16BE(2 * size + 4)}`,
    endpoint: `${endpoint} . ${data.bytes.readUInt16BE(size)}`,
  };
}

/** Verdicts are few: one object for each. */
const VERDICTS = new Map<string, ElementData>([['drop', { kind: 'drop' }]]);

function encodeValue(family: Family, value: string): ElementData {
  const known = VERDICTS.get(value);
  if (known) return known;
  if (value.startsWith('goto ')) {
    const verdict: ElementData = { kind: 'goto', chain: value.slice(5) };
    VERDICTS.set(value, verdict);
    return verdict;
  }
  return { kind: 'value', bytes: encodeParts(family, ENDPOINT[family], value, 'first') };
}

const SEPARATOR = ' . ';

/** Tens of thousands of these are encoded at start, hence without a split and with buffers from the pool. */
function encodeParts(family: Family, { parts, size }: Layout, text: string, end: 'first' | 'last'): Buffer {
  const bytes = Buffer.allocUnsafe(size).fill(0);
  let at = 0;
  let from = 0;
  for (const part of parts) {
    const separator = text.indexOf(SEPARATOR, from);
    const to = separator < 0 ? text.length : separator;
    if (part === 'address') at = writeAddress(bytes, at, family, text, from, to);
    else if (part === 'range') {
      const range = text.slice(from, to);
      const cidr = parseCidr(range.includes('/') ? range : `${range}/${family === 4 ? 32 : 128}`);
      if (!cidr) throw malformed(range);
      const limit = ipToBytes(cidrRange(cidr)[end]);
      bytes.set(limit, at);
      at += limit.length;
    } else {
      if (part === 'protocol') bytes[at] = PROTOCOLS[text.slice(from, to)] ?? 0;
      else if (part === 'port') bytes.writeUInt16BE(numberIn(text, from, to), at);
      // What numgen leaves in its register: a number in the machine's byte order.
      else bytes.writeUInt32LE(numberIn(text, from, to), at);
      at += 4;
    }
    from = to + SEPARATOR.length;
  }
  return bytes;
}

function numberIn(text: string, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) value = value * 10 + text.charCodeAt(i) - ZERO;
  return value;
}

const ZERO = 48;
const DOT = 46;

/** Returns where the next part goes. */
function writeAddress(bytes: Buffer, at: number, family: Family, text: string, from: number, to: number): number {
  if (family === 6) {
    const ip = parseIp(text.slice(from, to));
    if (!ip) throw malformed(text);
    bytes.set(ipToBytes(ip), at);
    return at + 16;
  }
  let octet = 0;
  let position = at;
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i);
    if (code === DOT) {
      bytes[position++] = octet;
      octet = 0;
    } else octet = octet * 10 + code - ZERO;
  }
  bytes[position] = octet;
  return at + 4;
}

function malformed(text: string): BallastError<'element-malformed'> {
  return new BallastError('element-malformed', `not an element: ${text}`);
}
