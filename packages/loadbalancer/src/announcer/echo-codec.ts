import { ByteReader, ByteWriter } from '@ballast/base';

/** ICMP and ICMPv6 echo (RFC 792, RFC 4443 section 4.1): the question to a kernel whether it is alive. */
export interface Echo {
  readonly kind: 'request' | 'reply';
  readonly identifier: number;
  readonly sequence: number;
}

const TYPES = { 4: { request: 8, reply: 0 }, 6: { request: 128, reply: 129 } } as const;
const PAYLOAD = Buffer.from('ballast?');

/** The ICMP message without IP header; for IPv6 the kernel fills in the checksum. */
export function composeEcho(echo: Echo, family: 4 | 6): Uint8Array {
  const writer = new ByteWriter(16);
  writer.u8(TYPES[family][echo.kind]).u8(0).u16(0).u16(echo.identifier).u16(echo.sequence).bytes(PAYLOAD);
  if (family === 4) writer.patchU16(2, checksum(writer.finish()));
  return writer.finish();
}

/** What a raw socket received: with IP header for IPv4, without for IPv6. Undefined for anything but an echo of ours. */
export function parseEcho(bytes: Uint8Array, family: 4 | 6): Echo | undefined {
  const start = family === 4 ? ((bytes[0] ?? 0) & 0x0f) * 4 : 0;
  if (bytes.length < start + 8 + PAYLOAD.length) return undefined;
  const reader = new ByteReader(bytes.subarray(start));
  const type = reader.u8();
  const kind = type === TYPES[family].request ? 'request' : type === TYPES[family].reply ? 'reply' : undefined;
  if (!kind || reader.u8() !== 0) return undefined;
  reader.skip(2);
  const echo = { kind, identifier: reader.u16(), sequence: reader.u16() } as const;
  return PAYLOAD.equals(reader.bytes(PAYLOAD.length)) ? echo : undefined;
}

function checksum(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes);
  let sum = 0;
  while (!reader.isAtEnd) sum += reader.u16();
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
