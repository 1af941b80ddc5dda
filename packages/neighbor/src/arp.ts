import { ByteReader, ByteWriter, type Ip, ipFromBytes, ipToBytes } from '@ballast/base';
import { type Mac, macToBytes, parseMac } from './ethernet.ts';

/** An ARP packet for IPv4 over Ethernet (RFC 826). */
export interface ArpPacket {
  readonly operation: 'request' | 'reply';
  readonly senderMac: Mac;
  readonly senderIp: Ip;
  readonly targetMac: Mac;
  readonly targetIp: Ip;
}

const HARDWARE_ETHERNET = 1;
const PROTOCOL_IPV4 = 0x0800;
const OPERATIONS = { request: 1, reply: 2 } as const;

/** Undefined when it is not ARP for IPv4 over Ethernet, or cut short. Trailing padding is ignored. */
export function parseArp(payload: Uint8Array): ArpPacket | undefined {
  if (payload.length < 28) return undefined;
  const reader = new ByteReader(payload);
  const fits =
    reader.u16() === HARDWARE_ETHERNET && reader.u16() === PROTOCOL_IPV4 && reader.u8() === 6 && reader.u8() === 4;
  if (!fits) return undefined;
  const code = reader.u16();
  const operation = code === OPERATIONS.request ? 'request' : code === OPERATIONS.reply ? 'reply' : undefined;
  if (!operation) return undefined;
  return {
    operation,
    senderMac: parseMac(reader),
    senderIp: ipFromBytes(reader.bytes(4)),
    targetMac: parseMac(reader),
    targetIp: ipFromBytes(reader.bytes(4)),
  };
}

export function composeArp(packet: ArpPacket): Uint8Array {
  return new ByteWriter(28)
    .u16(HARDWARE_ETHERNET)
    .u16(PROTOCOL_IPV4)
    .u8(6)
    .u8(4)
    .u16(OPERATIONS[packet.operation])
    .bytes(macToBytes(packet.senderMac))
    .bytes(ipToBytes(packet.senderIp))
    .bytes(macToBytes(packet.targetMac))
    .bytes(ipToBytes(packet.targetIp))
    .finish();
}
