import { ByteReader, ByteWriter } from '@ballast/base';

/** A 48-bit hardware address as 'aa:bb:cc:dd:ee:ff'. */
export type Mac = string;

export const BROADCAST_MAC: Mac = 'ff:ff:ff:ff:ff:ff';
export const ZERO_MAC: Mac = '00:00:00:00:00:00';
export const ETHERTYPE_ARP = 0x0806;
export const ETHERTYPE_IPV6 = 0x86dd;

/** An Ethernet II frame without VLAN tag. */
export interface Frame {
  readonly destination: Mac;
  readonly source: Mac;
  readonly etherType: number;
  readonly payload: Uint8Array;
}

export function parseMac(reader: ByteReader): Mac {
  return Array.from(reader.bytes(6), (byte) => byte.toString(16).padStart(2, '0')).join(':');
}

export function macToBytes(mac: Mac): Uint8Array {
  return Uint8Array.from(mac.split(':'), (part) => Number.parseInt(part, 16));
}

/** Throws 'bytes-truncated' for what is shorter than a header. */
export function parseFrame(bytes: Uint8Array): Frame {
  const reader = new ByteReader(bytes);
  return { destination: parseMac(reader), source: parseMac(reader), etherType: reader.u16(), payload: reader.rest() };
}

export function composeFrame(frame: Frame): Uint8Array {
  return new ByteWriter(14 + frame.payload.length)
    .bytes(macToBytes(frame.destination))
    .bytes(macToBytes(frame.source))
    .u16(frame.etherType)
    .bytes(frame.payload)
    .finish();
}
