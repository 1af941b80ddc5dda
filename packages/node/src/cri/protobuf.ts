import { BallastError } from '@ballast/base';

/**
 * The part of protobuf's wire format (proto3) that CRI uses, driven by tables of field numbers. Unknown fields are skipped, so a newer
 * runtime can answer with more than we know.
 */
export type Scalar = 'string' | 'bytes' | 'bool' | 'int32' | 'int64' | 'bigint';

export type Field =
  | readonly [number: number, kind: Scalar | MessageType]
  | readonly [number: number, kind: 'repeated', of: Scalar | MessageType]
  | readonly [number: number, kind: 'map'];

export interface MessageType<Fields extends Readonly<Record<string, Field>> = Readonly<Record<string, Field>>> {
  readonly fields: Fields;
}

type ScalarValue<Kind> = Kind extends 'string'
  ? string
  : Kind extends 'bytes'
    ? Uint8Array
    : Kind extends 'bool'
      ? boolean
      : Kind extends 'bigint'
        ? bigint
        : number;

type ValueOf<Kind> = Kind extends MessageType<infer Fields> ? Message<Fields> : ScalarValue<Kind>;
type InputOf<Kind> = Kind extends MessageType<infer Fields> ? Input<Fields> : ScalarValue<Kind>;

type DecodedField<F> = F extends readonly [number, 'repeated', infer Of]
  ? ValueOf<Of>[]
  : F extends readonly [number, 'map']
    ? Record<string, string>
    : F extends readonly [number, infer Kind]
      ? Kind extends MessageType
        ? ValueOf<Kind> | undefined
        : ValueOf<Kind>
      : never;

type InputField<F> = F extends readonly [number, 'repeated', infer Of]
  ? readonly InputOf<Of>[]
  : F extends readonly [number, 'map']
    ? Readonly<Record<string, string>>
    : F extends readonly [number, infer Kind]
      ? InputOf<Kind>
      : never;

/** A received message: absent scalars have proto3's default, absent messages are undefined. */
type Message<Fields> = { [Name in keyof Fields]: DecodedField<Fields[Name]> };
/** A message to send: everything is optional, defaults are left out of the bytes. */
type Input<Fields> = { readonly [Name in keyof Fields]?: InputField<Fields[Name]> | undefined };

export type Decoded<Type> = Type extends MessageType<infer Fields> ? Message<Fields> : never;
export type Encodable<Type> = Type extends MessageType<infer Fields> ? Input<Fields> : never;

export function message<const Fields extends Readonly<Record<string, Field>>>(fields: Fields): MessageType<Fields> {
  return { fields };
}

const WIRE_VARINT = 0;
const WIRE_64 = 1;
const WIRE_BYTES = 2;
const WIRE_32 = 5;

const text = new TextDecoder();

class Writer {
  #bytes = Buffer.allocUnsafe(512);
  #length = 0;

  #reserve(count: number): number {
    if (this.#length + count > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + count));
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    const at = this.#length;
    this.#length += count;
    return at;
  }

  /** Reserving may replace the buffer, so it comes first. */
  #byte(value: number): void {
    const at = this.#reserve(1);
    this.#bytes[at] = value;
  }

  varint(value: bigint): void {
    let rest = BigInt.asUintN(64, value);
    while (rest > 0x7fn) {
      this.#byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    this.#byte(Number(rest));
  }

  tag(number: number, wire: number): void {
    this.varint(BigInt((number << 3) | wire));
  }

  lengthPrefixed(bytes: Uint8Array): void {
    this.varint(BigInt(bytes.length));
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }
}

function isDefault(kind: Scalar, value: unknown): boolean {
  if (kind === 'string') return value === '';
  if (kind === 'bytes') return value instanceof Uint8Array && value.length === 0;
  if (kind === 'bool') return value === false;
  return kind === 'bigint' ? value === 0n : value === 0;
}

function writeScalar(writer: Writer, number: number, kind: Scalar, value: unknown): void {
  switch (kind) {
    case 'string':
      writer.tag(number, WIRE_BYTES);
      writer.lengthPrefixed(Buffer.from(String(value)));
      return;
    case 'bytes':
      writer.tag(number, WIRE_BYTES);
      writer.lengthPrefixed(value instanceof Uint8Array ? value : new Uint8Array());
      return;
    case 'bool':
    case 'int32':
    case 'int64':
    case 'bigint':
      writer.tag(number, WIRE_VARINT);
      writer.varint(BigInt(value as number | bigint | boolean));
      return;
    default:
      kind satisfies never;
  }
}

function writeMessage(writer: Writer, type: MessageType, value: Readonly<Record<string, unknown>>): void {
  for (const [name, field] of Object.entries(type.fields)) {
    const content = value[name];
    if (content === undefined || content === null) continue;
    const [number, kind] = field;
    if (kind === 'map') {
      for (const [key, mapped] of Object.entries(content as Record<string, string>)) {
        const entry = new Writer();
        writeScalar(entry, 1, 'string', key);
        writeScalar(entry, 2, 'string', mapped);
        writer.tag(number, WIRE_BYTES);
        writer.lengthPrefixed(entry.finish());
      }
    } else if (kind === 'repeated') {
      const of = field[2];
      for (const item of content as readonly unknown[]) writeOne(writer, number, of, item);
    } else if (typeof kind !== 'string' || !isDefault(kind, content)) {
      writeOne(writer, number, kind, content);
    }
  }
}

function writeOne(writer: Writer, number: number, kind: Scalar | MessageType | undefined, value: unknown): void {
  if (kind === undefined) return;
  if (typeof kind === 'string') {
    writeScalar(writer, number, kind, value);
    return;
  }
  const inner = new Writer();
  writeMessage(inner, kind, value as Readonly<Record<string, unknown>>);
  writer.tag(number, WIRE_BYTES);
  writer.lengthPrefixed(inner.finish());
}

/** Encodes a message. Fields are written in the order of the table, which need not be numeric: proto3 allows any. */
export function encodeMessage<Type extends MessageType>(type: Type, value: Encodable<Type>): Buffer {
  const writer = new Writer();
  writeMessage(writer, type, value as Readonly<Record<string, unknown>>);
  return writer.finish();
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) throw malformed('a varint is cut short');
      this.#at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw malformed('a varint is longer than 10 bytes');
  }

  take(count: number): Uint8Array {
    if (count > this.#bytes.length - this.#at) throw malformed('a field runs past the end');
    this.#at += count;
    return this.#bytes.subarray(this.#at - count, this.#at);
  }

  lengthPrefixed(): Uint8Array {
    const length = this.varint();
    if (length > 0x7fff_ffffn) throw malformed('a length is out of range');
    return this.take(Number(length));
  }
}

function malformed(why: string): BallastError<'protobuf-malformed'> {
  return new BallastError('protobuf-malformed', `malformed protobuf message: ${why}`);
}

const defaults: Record<Scalar, unknown> = {
  string: '',
  bytes: new Uint8Array(),
  bool: false,
  int32: 0,
  int64: 0,
  bigint: 0n,
};

function scalarOf(kind: Scalar, raw: bigint | Uint8Array): unknown {
  if (kind === 'string' || kind === 'bytes') {
    if (typeof raw === 'bigint') throw malformed('a number where bytes belong');
    return kind === 'string' ? text.decode(raw) : raw;
  }
  if (typeof raw !== 'bigint') throw malformed('bytes where a number belongs');
  if (kind === 'bool') return raw !== 0n;
  if (kind === 'int32') return Number(BigInt.asIntN(32, raw));
  const signed = BigInt.asIntN(64, raw);
  return kind === 'bigint' ? signed : Number(signed);
}

function decodeValue(kind: Scalar | MessageType, raw: bigint | Uint8Array): unknown {
  if (typeof kind === 'string') return scalarOf(kind, raw);
  if (typeof raw === 'bigint') throw malformed('a number where a message belongs');
  return readMessage(kind, raw);
}

function readMapEntry(raw: bigint | Uint8Array): [string, string] {
  const entry = decodeValue(MAP_ENTRY, raw) as { key: string; value: string };
  return [entry.key, entry.value];
}

const MAP_ENTRY: MessageType = { fields: { key: [1, 'string'], value: [2, 'string'] } };

/** Packed encoding (proto3's default for repeated numbers): many varints in one length-prefixed field. */
function* repeatedValues(of: Scalar | MessageType, raw: bigint | Uint8Array): Iterable<unknown> {
  const isNumber = of === 'int32' || of === 'int64' || of === 'bigint' || of === 'bool';
  if (!isNumber || typeof raw === 'bigint') {
    yield decodeValue(of, raw);
    return;
  }
  const packed = new Reader(raw);
  while (!packed.isAtEnd) yield scalarOf(of, packed.varint());
}

function readMessage(type: MessageType, bytes: Uint8Array): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  const byNumber = new Map<number, [string, Field]>();
  for (const [name, field] of Object.entries(type.fields)) {
    byNumber.set(field[0], [name, field]);
    const kind = field[1];
    if (kind === 'repeated') result[name] = [];
    else if (kind === 'map') result[name] = {};
    else result[name] = typeof kind === 'string' ? defaults[kind] : undefined;
  }
  const reader = new Reader(bytes);
  while (!reader.isAtEnd) {
    const tag = reader.varint();
    const wire = Number(tag & 7n);
    let raw: bigint | Uint8Array;
    if (wire === WIRE_VARINT) raw = reader.varint();
    else if (wire === WIRE_BYTES) raw = reader.lengthPrefixed();
    else if (wire === WIRE_64) raw = reader.take(8);
    else if (wire === WIRE_32) raw = reader.take(4);
    else throw malformed(`wire type ${wire}`);
    const known = byNumber.get(Number(tag >> 3n));
    if (!known) continue;
    const [name, field] = known;
    if (field[1] === 'map') {
      const [key, value] = readMapEntry(raw);
      Object.defineProperty(result[name], key, { value, enumerable: true, writable: true, configurable: true });
    } else if (field[1] === 'repeated') {
      const of = field[2];
      if (of !== undefined) for (const value of repeatedValues(of, raw)) (result[name] as unknown[]).push(value);
    } else {
      result[name] = decodeValue(field[1], raw);
    }
  }
  return result;
}

/** Decodes a message; throws BallastError 'protobuf-malformed'. */
export function decodeMessage<Type extends MessageType>(type: Type, bytes: Uint8Array): Decoded<Type> {
  return readMessage(type, bytes) as Decoded<Type>;
}
