import { BallastError } from './errors.ts';

/** Raised by ByteReader and ByteWriter; `code` says which bound was crossed. */
export type BytesErrorCode = 'bytes-truncated' | 'bytes-range';

function truncated(need: number, have: number, offset: number): BallastError<BytesErrorCode> {
  return new BallastError('bytes-truncated', `needs ${need} bytes at offset ${offset}, has ${have}`);
}

/** Reads big-endian values from a buffer, never past its end. Offsets are relative to the start of this reader. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get offset(): number {
    return this.#offset;
  }

  get length(): number {
    return this.#bytes.length;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  get isAtEnd(): boolean {
    return this.#offset === this.#bytes.length;
  }

  seek(offset: number): void {
    if (offset < 0 || offset > this.#bytes.length) throw truncated(0, this.#bytes.length, offset);
    this.#offset = offset;
  }

  skip(count: number): void {
    this.#take(count);
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u24(): number {
    const at = this.#take(3);
    return (this.#view.getUint16(at) << 8) | this.#view.getUint8(at + 2);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }

  /** A view of the next `count` bytes; shares memory with the source. */
  bytes(count: number): Uint8Array {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  /** A view of everything that is left. */
  rest(): Uint8Array {
    return this.bytes(this.remaining);
  }

  /** A reader confined to the next `count` bytes, for length-prefixed parts. */
  sub(count: number): ByteReader {
    return new ByteReader(this.bytes(count));
  }

  #take(count: number): number {
    const at = this.#offset;
    if (count < 0 || at + count > this.#bytes.length) throw truncated(count, this.remaining, at);
    this.#offset = at + count;
    return at;
  }
}

/** Collects big-endian values in a growing buffer. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 64) {
    this.#bytes = new Uint8Array(Math.max(16, capacity));
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  u8(value: number): this {
    const at = this.#grow(1, value, 0xff);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    const at = this.#grow(2, value, 0xffff);
    this.#view.setUint16(at, value);
    return this;
  }

  u24(value: number): this {
    const at = this.#grow(3, value, 0xffffff);
    this.#view.setUint16(at, value >>> 8);
    this.#view.setUint8(at + 2, value & 0xff);
    return this;
  }

  u32(value: number): this {
    const at = this.#grow(4, value, 0xffff_ffff);
    this.#view.setUint32(at, value);
    return this;
  }

  u64(value: bigint): this {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn)
      throw new BallastError('bytes-range', `${value} does not fit in u64`);
    const at = this.#grow(8, 0, 0);
    this.#view.setBigUint64(at, value);
    return this;
  }

  bytes(value: Uint8Array): this {
    const at = this.#grow(value.length, 0, 0);
    this.#bytes.set(value, at);
    return this;
  }

  /** Reserves a length field of `width` bytes, runs `body`, then fills in how many bytes `body` wrote. */
  lengthPrefixed(width: 1 | 2, body: (writer: ByteWriter) => void): this {
    const at = this.#grow(width, 0, 0);
    body(this);
    const length = this.#length - at - width;
    if (length > (width === 1 ? 0xff : 0xffff)) {
      throw new BallastError('bytes-range', `a part of ${length} bytes does not fit in a ${width}-byte length`);
    }
    if (width === 1) this.#view.setUint8(at, length);
    else this.#view.setUint16(at, length);
    return this;
  }

  /** Overwrites two bytes written earlier, for counts and checksums known late. */
  patchU16(at: number, value: number): void {
    if (at < 0 || at + 2 > this.#length) throw truncated(2, this.#length, at);
    this.#view.setUint16(at, value);
  }

  /** The bytes written so far, copied. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #grow(count: number, value: number, max: number): number {
    if (!Number.isInteger(value) || value < 0 || value > max) {
      throw new BallastError('bytes-range', `${value} does not fit in ${count} bytes`);
    }
    const at = this.#length;
    const needed = at + count;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = needed;
    return at;
  }
}
