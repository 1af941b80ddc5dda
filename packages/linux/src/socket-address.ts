import { type Ip, ipFromBytes, ipToBytes } from '@ballast/base';
import { AF_INET, AF_INET6, AF_PACKET } from './libc-sockets.ts';

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function putFamily(bytes: Buffer, family: number): void {
  new DataView(bytes.buffer, bytes.byteOffset).setUint16(0, family, LITTLE_ENDIAN);
}

/** sockaddr_in or sockaddr_in6. `scopeId` is the interface number, needed for link-local addresses. */
export function composeSocketAddress(at: {
  readonly ip: Ip;
  readonly port: number;
  readonly scopeId?: number;
}): Buffer {
  const bytes = Buffer.alloc(at.ip.family === 4 ? 16 : 28);
  putFamily(bytes, at.ip.family === 4 ? AF_INET : AF_INET6);
  bytes.writeUInt16BE(at.port, 2);
  bytes.set(ipToBytes(at.ip), at.ip.family === 4 ? 4 : 8);
  if (at.ip.family === 6) new DataView(bytes.buffer, bytes.byteOffset).setUint32(24, at.scopeId ?? 0, LITTLE_ENDIAN);
  return bytes;
}

/** The reverse; undefined for other families. */
export function parseSocketAddress(bytes: Buffer): { readonly ip: Ip; readonly port: number } | undefined {
  if (bytes.length < 8) return undefined;
  const family = LITTLE_ENDIAN ? bytes.readUInt16LE(0) : bytes.readUInt16BE(0);
  const port = bytes.readUInt16BE(2);
  if (family === AF_INET) return { ip: ipFromBytes(bytes.subarray(4, 8)), port };
  if (family === AF_INET6 && bytes.length >= 24) return { ip: ipFromBytes(bytes.subarray(8, 24)), port };
  return undefined;
}

/** sockaddr_ll: an interface and an Ethernet protocol (0x0003 is all). */
export function composePacketAddress(at: { readonly interfaceIndex: number; readonly protocol: number }): Buffer {
  const bytes = Buffer.alloc(20);
  putFamily(bytes, AF_PACKET);
  bytes.writeUInt16BE(at.protocol, 2);
  new DataView(bytes.buffer, bytes.byteOffset).setInt32(4, at.interfaceIndex, LITTLE_ENDIAN);
  return bytes;
}
