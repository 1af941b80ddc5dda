import { createHmac, timingSafeEqual } from 'node:crypto';
import { ByteReader, ByteWriter } from '@ballast/base';

/**
 * One datagram from speaker to speaker, signed with a key that only speakers have.
 *
 *      0                   1                   2                   3
 *     +---------------------------------------------------------------+
 *     |                       Magic "BLHB"                            |
 *     +---------------+---------------+-------------------------------+
 *     |  Version (1)  |     Kind      |                               |
 *     +---------------+---------------+      Incarnation (64)         |
 *     |                                                               |
 *     |                               +-------------------------------+
 *     |                               |         Sequence (32) ...     |
 *     +---------------+---------------+-------------------------------+
 *     | Name length   |  Name ...           | HMAC-SHA-256 (first 16) |
 *     +---------------+---------------------+-------------------------+
 */
export interface Heartbeat {
  /** 'leave' is the last word of a speaker that stops in order. */
  readonly kind: 'alive' | 'leave';
  readonly node: string;
  /** Grows with every start of the sender: its wall clock then, in ms. */
  readonly incarnation: number;
  /** Grows with every datagram of one incarnation. */
  readonly sequence: number;
}

export const HEARTBEAT_PORT = 7946;
const MAGIC = 0x424c4842;
const VERSION = 1;
const KINDS = { alive: 1, leave: 2 } as const;
const TAG_BYTES = 16;

export function composeHeartbeat(heartbeat: Heartbeat, key: Uint8Array): Uint8Array {
  const writer = new ByteWriter(96);
  writer.u32(MAGIC).u8(VERSION).u8(KINDS[heartbeat.kind]).u64(BigInt(heartbeat.incarnation)).u32(heartbeat.sequence);
  writer.lengthPrefixed(1, () => writer.bytes(Buffer.from(heartbeat.node)));
  return writer.bytes(tagOf(writer.finish(), key)).finish();
}

/** Undefined for anything that was not signed with this key, or is malformed. */
export function parseHeartbeat(bytes: Uint8Array, key: Uint8Array): Heartbeat | undefined {
  if (bytes.length < 19 + TAG_BYTES || bytes.length > 300) return undefined;
  const body = bytes.subarray(0, bytes.length - TAG_BYTES);
  if (!timingSafeEqual(tagOf(body, key), bytes.subarray(bytes.length - TAG_BYTES))) return undefined;
  const reader = new ByteReader(body);
  if (reader.u32() !== MAGIC || reader.u8() !== VERSION) return undefined;
  const code = reader.u8();
  const kind = code === KINDS.alive ? 'alive' : code === KINDS.leave ? 'leave' : undefined;
  const incarnation = Number(reader.u64());
  const sequence = reader.u32();
  const length = reader.u8();
  if (!kind || reader.remaining !== length) return undefined;
  return { kind, incarnation, sequence, node: Buffer.from(reader.rest()).toString('utf8') };
}

function tagOf(body: Uint8Array, key: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update(body).digest().subarray(0, TAG_BYTES);
}
