import { ByteReader, ByteWriter, type Ip, ipFromBytes, ipToBytes, parseIp } from '@ballast/base';
import { type Mac, macToBytes, parseMac } from './ethernet.ts';

/** Neighbor Solicitation (RFC 4861 section 4.3). */
export interface NeighborSolicitation {
  readonly kind: 'solicitation';
  readonly target: Ip;
  readonly sourceMac: Mac | undefined;
}

/** Neighbor Advertisement (RFC 4861 section 4.4). */
export interface NeighborAdvertisement {
  readonly kind: 'advertisement';
  readonly router: boolean;
  readonly solicited: boolean;
  readonly override: boolean;
  readonly target: Ip;
  readonly targetMac: Mac | undefined;
}

/** One of the two in its IPv6 packet. */
export interface NdpPacket {
  readonly source: Ip;
  readonly destination: Ip;
  readonly message: NeighborSolicitation | NeighborAdvertisement;
}

const NEXT_HEADER_ICMPV6 = 58;
const TYPE_SOLICITATION = 135;
const TYPE_ADVERTISEMENT = 136;
const OPTION_SOURCE_MAC = 1;
const OPTION_TARGET_MAC = 2;
/** RFC 4861 section 7.1: anything else came through a router. */
const HOP_LIMIT = 255;

/** Undefined when it is not a valid message of these two types (RFC 4861 section 7.1). */
export function parseNdp(payload: Uint8Array): NdpPacket | undefined {
  try {
    return parseValid(new ByteReader(payload));
  } catch {
    return undefined;
  }
}

function parseValid(reader: ByteReader): NdpPacket | undefined {
  if (reader.u8() >> 4 !== 6) return undefined;
  reader.skip(3);
  const length = reader.u16();
  if (reader.u8() !== NEXT_HEADER_ICMPV6 || reader.u8() !== HOP_LIMIT) return undefined;
  const source = ipFromBytes(reader.bytes(16));
  const destination = ipFromBytes(reader.bytes(16));
  const body = reader.bytes(length);
  if (checksum(source, destination, body) !== 0) return undefined;

  const icmp = new ByteReader(body);
  const type = icmp.u8();
  if (icmp.u8() !== 0) return undefined;
  icmp.skip(2);
  const flags = icmp.u8();
  icmp.skip(3);
  const target = ipFromBytes(icmp.bytes(16));
  if (isMulticast(target)) return undefined;
  const macs = parseOptions(icmp);
  if (type === TYPE_SOLICITATION) {
    return { source, destination, message: { kind: 'solicitation', target, sourceMac: macs.get(OPTION_SOURCE_MAC) } };
  }
  if (type !== TYPE_ADVERTISEMENT) return undefined;
  return {
    source,
    destination,
    message: {
      kind: 'advertisement',
      router: (flags & 0x80) !== 0,
      solicited: (flags & 0x40) !== 0,
      override: (flags & 0x20) !== 0,
      target,
      targetMac: macs.get(OPTION_TARGET_MAC),
    },
  };
}

function parseOptions(reader: ByteReader): Map<number, Mac> {
  const macs = new Map<number, Mac>();
  while (!reader.isAtEnd) {
    const type = reader.u8();
    const units = reader.u8();
    if (units === 0) throw new RangeError('an option of length zero');
    const value = reader.sub(units * 8 - 2);
    if (units === 1) macs.set(type, parseMac(value));
  }
  return macs;
}

export function composeNdp(packet: NdpPacket): Uint8Array {
  const { message } = packet;
  const body = new ByteWriter(32);
  const [option, mac] =
    message.kind === 'solicitation' ? [OPTION_SOURCE_MAC, message.sourceMac] : [OPTION_TARGET_MAC, message.targetMac];
  const flags =
    message.kind === 'solicitation'
      ? 0
      : (message.router ? 0x80 : 0) | (message.solicited ? 0x40 : 0) | (message.override ? 0x20 : 0);
  body
    .u8(message.kind === 'solicitation' ? TYPE_SOLICITATION : TYPE_ADVERTISEMENT)
    .u8(0)
    .u16(0);
  body.u8(flags).u24(0).bytes(ipToBytes(message.target));
  if (mac !== undefined) body.u8(option).u8(1).bytes(macToBytes(mac));
  body.patchU16(2, checksum(packet.source, packet.destination, body.finish()));
  return new ByteWriter(40 + body.length)
    .u32(0x6000_0000)
    .u16(body.length)
    .u8(NEXT_HEADER_ICMPV6)
    .u8(HOP_LIMIT)
    .bytes(ipToBytes(packet.source))
    .bytes(ipToBytes(packet.destination))
    .bytes(body.finish())
    .finish();
}

/** RFC 4443 section 2.3: over a pseudo header and the message. Zero for a message that carries its right checksum. */
function checksum(source: Ip, destination: Ip, body: Uint8Array): number {
  const writer = new ByteWriter(41 + body.length);
  writer.bytes(ipToBytes(source)).bytes(ipToBytes(destination)).u32(body.length).u32(NEXT_HEADER_ICMPV6).bytes(body);
  if (writer.length % 2 === 1) writer.u8(0);
  const reader = new ByteReader(writer.finish());
  let sum = 0;
  while (!reader.isAtEnd) sum += reader.u16();
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function isMulticast(ip: Ip): boolean {
  return ip.value >> 120n === 0xffn;
}

function constantIp(text: string): Ip {
  const ip = parseIp(text);
  if (!ip) throw new RangeError(text);
  return ip;
}

export const UNSPECIFIED: Ip = constantIp('::');
export const ALL_NODES: Ip = constantIp('ff02::1');
const SOLICITED_NODE = constantIp('ff02::1:ff00:0');

/** RFC 4291 section 2.7.1: where solicitations for `ip` are sent. */
export function solicitedNodeGroup(ip: Ip): Ip {
  return { family: 6, value: SOLICITED_NODE.value | (ip.value & 0xff_ffffn) };
}

/** RFC 2464 section 7: the hardware address of an IPv6 multicast group. */
export function multicastMac(group: Ip): Mac {
  const tail = ipToBytes(group).subarray(12);
  return ['33', '33', ...Array.from(tail, (byte) => byte.toString(16).padStart(2, '0'))].join(':');
}
