import { cidrOf, IP_BITS, type Ip, ipFromBytes, ipToBytes, parseCidr } from '@ballast/base';
import { labelsOf, type Name } from '../wire/name.ts';

const SUFFIX = { 4: 'in-addr.arpa.', 6: 'ip6.arpa.' } as const;

/** Bits of one label of a reverse name: an octet (RFC 1035, 3.5) or a nibble (RFC 3596, 2.5). */
const LABEL_BITS = { 4: 8, 6: 4 } as const;

/** The name under which an address has its PTR records. */
export function reverseName(ip: Ip): Name {
  return reverseOfPrefix(ip, IP_BITS[ip.family]);
}

function reverseOfPrefix(ip: Ip, prefixLength: number): Name {
  const labels: string[] = [];
  for (const byte of ipToBytes(ip)) {
    if (ip.family === 4) labels.push(String(byte));
    else labels.push((byte >>> 4).toString(16), (byte & 15).toString(16));
  }
  const kept = labels.slice(0, prefixLength / LABEL_BITS[ip.family]).toReversed();
  return [...kept, SUFFIX[ip.family]].join('.');
}

/**
 * The reverse zones that cover a prefix: one on a label boundary, otherwise all of the next finer boundary (10.0.0.0/15 gives two).
 * Undefined when `text` is not a prefix.
 */
export function reverseZones(text: string): Name[] | undefined {
  const cidr = parseCidr(text);
  if (!cidr) return undefined;
  const { family, value } = cidr.ip;
  const step = LABEL_BITS[family];
  const length = Math.ceil(cidr.prefixLength / step) * step;
  const count = 1 << (length - cidr.prefixLength);
  const width = BigInt(IP_BITS[family] - length);
  return Array.from({ length: count }, (_, i) =>
    reverseOfPrefix(cidrOf({ family, value: value + (BigInt(i) << width) }, length).ip, length),
  );
}

/** The address that a reverse name stands for; undefined when it is not the name of one whole address. */
export function addressOfReverseName(name: Name): Ip | undefined {
  const lower = name.toLowerCase();
  if (lower.endsWith(`.${SUFFIX[4]}`)) {
    const labels = labelsOf(lower).slice(0, -2);
    if (labels.length !== 4 || !labels.every((label) => /^(0|[1-9][0-9]{0,2})$/.test(label) && Number(label) < 256)) {
      return undefined;
    }
    return ipFromBytes(Uint8Array.from(labels.toReversed(), Number));
  }
  if (!lower.endsWith(`.${SUFFIX[6]}`)) return undefined;
  const labels = labelsOf(lower).slice(0, -2);
  if (labels.length !== 32 || !labels.every((label) => /^[0-9a-f]$/.test(label))) return undefined;
  return { family: 6, value: BigInt(`0x${labels.toReversed().join('')}`) };
}
