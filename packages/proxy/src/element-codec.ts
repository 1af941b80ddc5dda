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

/** An element in the kernel's form. */
export function encodeElement(family: Family, element: Element): NftElement {
  const parts = KEYS[element.container];
  const texts = element.key.split(' . ');
  const key = encodeParts(family, parts, texts, 'first');
  const isInterval = parts.includes('range');
  return {
    key,
    ...(isInterval ? { keyEnd: encodeParts(family, parts, texts, 'last') } : {}),
    ...(element.value === '' ? {} : { data: encodeValue(family, element.value) }),
  };
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

function encodeValue(family: Family, value: string): ElementData {
  if (value === 'drop') return { kind: 'drop' };
  if (value.startsWith('goto ')) return { kind: 'goto', chain: value.slice(5) };
  return { kind: 'value', bytes: encodeParts(family, ['address', 'port'], value.split(' . '), 'first') };
}

function encodeParts(family: Family, parts: readonly Part[], texts: readonly string[], end: 'first' | 'last'): Buffer {
  const addressSize = family === 4 ? 4 : 16;
  let size = 0;
  for (const part of parts) size += part === 'address' || part === 'range' ? addressSize : 4;
  // From the pool: a buffer of its own costs more than what is in it.
  const bytes = Buffer.allocUnsafe(size).fill(0);
  let at = 0;
  for (const [i, part] of parts.entries()) {
    const text = texts[i] ?? '';
    switch (part) {
      case 'address':
        writeAddress(bytes, at, family, text);
        at += addressSize;
        break;
      case 'range': {
        const cidr = parseCidr(text.includes('/') ? text : `${text}/${family === 4 ? 32 : 128}`);
        if (!cidr) throw malformed(text);
        bytes.set(ipToBytes(cidrRange(cidr)[end]), at);
        at += addressSize;
        break;
      }
      case 'protocol':
        bytes[at] = PROTOCOLS[text] ?? 0;
        at += 4;
        break;
      case 'port':
        bytes.writeUInt16BE(Number(text), at);
        at += 4;
        break;
      case 'slot':
        // What numgen leaves in its register: a number in the machine's byte order.
        bytes.writeUInt32LE(Number(text), at);
        at += 4;
        break;
    }
  }
  return bytes;
}

function writeAddress(bytes: Buffer, at: number, family: Family, text: string): void {
  if (family === 4) {
    let octet = 0;
    let position = at;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === 46) {
        bytes[position++] = octet;
        octet = 0;
      } else octet = octet * 10 + code - 48;
    }
    bytes[position] = octet;
    return;
  }
  const ip = parseIp(text);
  if (!ip) throw malformed(text);
  bytes.set(ipToBytes(ip), at);
}

function malformed(text: string): BallastError<'element-malformed'> {
  return new BallastError('element-malformed', `not an address: ${text}`);
}
