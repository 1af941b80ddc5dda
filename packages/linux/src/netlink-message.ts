import { BallastError } from '@ballast/base';

/**
 * Netlink messages (RFC 3549, linux/netlink.h): headers and attributes in the machine's byte order, each padded to four bytes. Ballast runs
 * on little-endian machines only (x86-64, arm64).
 *
 *     |  length (4)  |  type (2)  |  flags (2)  |  sequence (4)  |  port (4)  |  payload, attributes ...
 *     attribute:  |  length (2)  |  type (2)  |  value, padded to 4  |
 */
export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP = 0x300;
export const NLM_F_CREATE = 0x400;
export const NLM_F_EXCL = 0x200;
export const NLM_F_APPEND = 0x800;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;

const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;
const HEADER_LENGTH = 16;

/** Longest value of one attribute: its length field has 16 bits. */
export const MAX_ATTRIBUTE_BYTES = 65_000;

/** Writes messages one behind the other into one growing buffer. Lengths are patched in when a message or a nest ends. */
export class NetlinkWriter {
  #bytes = Buffer.allocUnsafe(4096);
  #length = 0;

  /** Everything written so far; valid until the next write. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  get length(): number {
    return this.#length;
  }

  /** Writes one message; `body` writes its payload. */
  message(header: { type: number; flags: number; sequence: number }, body: () => void): void {
    const start = this.#take(HEADER_LENGTH);
    this.#bytes.writeUInt16LE(header.type, start + 4);
    this.#bytes.writeUInt16LE(header.flags, start + 6);
    this.#bytes.writeUInt32LE(header.sequence, start + 8);
    this.#bytes.writeUInt32LE(0, start + 12);
    body();
    this.#bytes.writeUInt32LE(this.#length - start, start);
  }

  /** Bytes as they are, padded. */
  raw(value: Uint8Array): void {
    const at = this.#take(padded(value.length));
    this.#bytes.fill(0, at + value.length, this.#length);
    this.#bytes.set(value, at);
  }

  bytesAttribute(type: number, value: Uint8Array): void {
    const at = this.#attribute(type, value.length);
    this.#bytes.set(value, at);
  }

  /** A text, closed by a zero byte. */
  textAttribute(type: number, value: string): void {
    const length = Buffer.byteLength(value);
    const at = this.#attribute(type, length + 1);
    this.#bytes.write(value, at);
    this.#bytes[at + length] = 0;
  }

  /** Netfilter's numbers are big-endian. */
  u32Attribute(type: number, value: number): void {
    const at = this.#attribute(type, 4);
    this.#bytes.writeUInt32BE(value >>> 0, at);
  }

  u64Attribute(type: number, value: bigint): void {
    const at = this.#attribute(type, 8);
    this.#bytes.writeBigUInt64BE(value, at);
  }

  /** An attribute made of attributes. */
  nest(type: number, body: () => void): void {
    const start = this.#take(4);
    this.#bytes.writeUInt16LE(type | NLA_F_NESTED, start + 2);
    body();
    this.#bytes.writeUInt16LE(this.#length - start, start);
  }

  #attribute(type: number, length: number): number {
    const start = this.#take(4 + padded(length));
    this.#bytes.writeUInt16LE(4 + length, start);
    this.#bytes.writeUInt16LE(type, start + 2);
    this.#bytes.fill(0, start + 4 + length, this.#length);
    return start + 4;
  }

  #take(count: number): number {
    const start = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length));
      this.#bytes.copy(larger, 0, 0, start);
      this.#bytes = larger;
    }
    return start;
  }
}

export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: Buffer;
}

/** The messages in what one receive call returned. */
export function parseMessages(bytes: Buffer): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  let at = 0;
  while (bytes.length - at >= HEADER_LENGTH) {
    const length = bytes.readUInt32LE(at);
    if (length < HEADER_LENGTH || at + length > bytes.length) throw malformed(`message of ${length} bytes at ${at}`);
    messages.push({
      type: bytes.readUInt16LE(at + 4),
      flags: bytes.readUInt16LE(at + 6),
      sequence: bytes.readUInt32LE(at + 8),
      payload: bytes.subarray(at + HEADER_LENGTH, at + length),
    });
    at += padded(length);
  }
  return messages;
}

/** The attributes of a payload in their order; types without the flag bits. */
export function* parseAttributes(bytes: Buffer): Generator<{ readonly type: number; readonly value: Buffer }> {
  let at = 0;
  while (bytes.length - at >= 4) {
    const length = bytes.readUInt16LE(at);
    if (length < 4 || at + length > bytes.length) throw malformed(`attribute of ${length} bytes at ${at}`);
    yield { type: bytes.readUInt16LE(at + 2) & NLA_TYPE_MASK, value: bytes.subarray(at + 4, at + length) };
    at += padded(length);
  }
}

/** The value of the first attribute of this type. */
export function attributeOf(bytes: Buffer, type: number): Buffer | undefined {
  for (const attribute of parseAttributes(bytes)) if (attribute.type === type) return attribute.value;
  return undefined;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

function malformed(what: string): BallastError<'netlink-malformed'> {
  return new BallastError('netlink-malformed', `malformed netlink data: ${what}`);
}
