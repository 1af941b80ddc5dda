import { BallastError } from '@ballast/base';

/*
 * The part of SPDY/3.1 framing that Kubernetes' streaming protocols use towards a container runtime. We open all streams and the runtime
 * only answers on them, so its header blocks need not be understood; and ours are sent as stored (uncompressed) deflate blocks, which any
 * zlib reader takes without the dictionary of the specification.
 *
 *   control: |1| version (15) | type (16) | flags (8) | length (24) | payload
 *   data:    |0| stream id (31)           | flags (8) | length (24) | payload
 */

export const SPDY_VERSION = 3;
export const FLAG_FIN = 0x01;

export const FrameType = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

export type SpdyFrame =
  | { readonly kind: 'data'; readonly streamId: number; readonly fin: boolean; readonly data: Uint8Array }
  | { readonly kind: 'control'; readonly type: number; readonly flags: number; readonly payload: Uint8Array };

const HEADER_SIZE = 8;
/** Go's SPDY writes at most 32 KiB a frame, but the length field allows 16 MiB. */
const MAX_LENGTH = 0xff_ffff;

export function composeData(streamId: number, data: Uint8Array, fin: boolean): Buffer {
  const frame = Buffer.alloc(HEADER_SIZE + data.length);
  frame.writeUInt32BE(streamId, 0);
  frame.writeUInt32BE(((fin ? FLAG_FIN : 0) * 0x100_0000 + data.length) >>> 0, 4);
  frame.set(data, HEADER_SIZE);
  return frame;
}

export function composeControl(type: number, flags: number, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(HEADER_SIZE + payload.length);
  frame.writeUInt16BE(0x8000 | SPDY_VERSION, 0);
  frame.writeUInt16BE(type, 2);
  frame.writeUInt32BE((flags * 0x100_0000 + payload.length) >>> 0, 4);
  frame.set(payload, HEADER_SIZE);
  return frame;
}

/** A name/value header block: count, then length-prefixed names and values; names in small letters. */
function composeHeaderBlock(headers: Readonly<Record<string, string>>): Buffer {
  const parts: Buffer[] = [];
  const number = (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    parts.push(bytes);
  };
  const entries = Object.entries(headers);
  number(entries.length);
  for (const [name, value] of entries) {
    for (const text of [name.toLowerCase(), value]) {
      const bytes = Buffer.from(text);
      number(bytes.length);
      parts.push(bytes);
    }
  }
  return Buffer.concat(parts);
}

/** Deflate: one stored block, then an empty one, which makes the reader hand out what it has (as a zlib sync flush does). */
function storedBlocks(content: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt16LE(content.length, 1);
  head.writeUInt16LE(~content.length & 0xffff, 3);
  return Buffer.concat([head, content, Buffer.from([0, 0, 0, 0xff, 0xff])]);
}

const ZLIB_HEADER = Buffer.from([0x78, 0x01]);

/** `first` is true for the first header block of a connection: all blocks together are one zlib stream. */
export function composeSynStream(options: {
  readonly streamId: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly first: boolean;
}): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt32BE(options.streamId, 0);
  const blocks = storedBlocks(composeHeaderBlock(options.headers));
  const payload = options.first ? [fixed, ZLIB_HEADER, blocks] : [fixed, blocks];
  return composeControl(FrameType.synStream, 0, Buffer.concat(payload));
}

/** Cuts received bytes into frames. */
export class SpdyFrameParser {
  #buffer: Buffer = Buffer.alloc(0);

  push(chunk: Uint8Array): SpdyFrame[] {
    this.#buffer = this.#buffer.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#buffer, chunk]);
    const frames: SpdyFrame[] = [];
    while (this.#buffer.length >= HEADER_SIZE) {
      const first = this.#buffer.readUInt32BE(0);
      const second = this.#buffer.readUInt32BE(4);
      const [flags, length] = [second >>> 24, second & MAX_LENGTH];
      if (this.#buffer.length < HEADER_SIZE + length) break;
      const payload = this.#buffer.subarray(HEADER_SIZE, HEADER_SIZE + length);
      this.#buffer = this.#buffer.subarray(HEADER_SIZE + length);
      if (first >>> 31 === 0) {
        frames.push({ kind: 'data', streamId: first, fin: (flags & FLAG_FIN) !== 0, data: payload });
        continue;
      }
      const version = (first >>> 16) & 0x7fff;
      if (version !== SPDY_VERSION)
        throw new BallastError('spdy-malformed', `SPDY version ${version} is not supported`);
      frames.push({ kind: 'control', type: first & 0xffff, flags, payload });
    }
    return frames;
  }
}
