import { type ByteReader, type ByteWriter, type Cidr, cidrOf, ipFromBytes, ipToBytes } from '@ballast/base';

/**
 * NLRI of RFC 4271 section 4.3: a length in bits, then as many bytes as hold it. Throws RangeError for a length past the address size
 * and `bytes-truncated` for missing bytes. Trailing bits are ignored, as the RFC says.
 */
export function parsePrefix(reader: ByteReader, version: 4 | 6): Cidr {
  const prefixLength = reader.u8();
  const size = version === 4 ? 4 : 16;
  if (prefixLength > size * 8) throw new RangeError(`prefix length ${prefixLength} in an IPv${version} prefix`);
  const bytes = new Uint8Array(size);
  bytes.set(reader.bytes(Math.ceil(prefixLength / 8)));
  return cidrOf(ipFromBytes(bytes), prefixLength);
}

export function parsePrefixes(reader: ByteReader, version: 4 | 6): Cidr[] {
  const prefixes: Cidr[] = [];
  while (!reader.isAtEnd) prefixes.push(parsePrefix(reader, version));
  return prefixes;
}

export function composePrefix(writer: ByteWriter, prefix: Cidr): void {
  writer.u8(prefix.prefixLength).bytes(ipToBytes(prefix.ip).subarray(0, Math.ceil(prefix.prefixLength / 8)));
}

/** Bytes that composePrefix writes. */
export function prefixBytes(prefix: Cidr): number {
  return 1 + Math.ceil(prefix.prefixLength / 8);
}
