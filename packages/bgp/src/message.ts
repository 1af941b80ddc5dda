import { ByteReader, ByteWriter } from '@ballast/base';
import type { AttributeContext } from './attribute-table.ts';
import { AS_TRANS } from './attribute-table.ts';
import { type Capability, composeCapability, parseCapabilities } from './capability.ts';
import { BgpError, HEADER_BYTES, MAX_MESSAGE_BYTES } from './family.ts';
import { composeUpdate, type ParsedUpdate, parseUpdate, type Update } from './update-codec.ts';

/** RFC 4271 section 4.2. */
export interface Open {
  readonly type: 'open';
  /** The AS number, from the 4-octet capability when there is one. */
  readonly asn: number;
  readonly holdTimeSeconds: number;
  /** BGP identifier as an unsigned 32-bit number. */
  readonly identifier: number;
  readonly capabilities: readonly Capability[];
}

export interface Notification {
  readonly type: 'notification';
  readonly code: number;
  readonly subcode: number;
  readonly data: Uint8Array;
}

/** RFC 2918, with the subtypes of RFC 7313 as a plain number. */
export interface RouteRefresh {
  readonly type: 'route-refresh';
  readonly afi: number;
  readonly safi: number;
  readonly subtype: number;
}

export interface Keepalive {
  readonly type: 'keepalive';
}

export type OutgoingMessage = Open | ({ readonly type: 'update' } & Update) | Notification | Keepalive | RouteRefresh;
export type IncomingMessage =
  | Open
  | ({ readonly type: 'update' } & ParsedUpdate)
  | Notification
  | Keepalive
  | RouteRefresh;

const TYPES = { open: 1, update: 2, notification: 3, keepalive: 4, 'route-refresh': 5 } as const;
const MIN_LENGTH: Readonly<Record<number, number>> = { 1: 29, 2: 23, 3: 21, 4: 19, 5: 23 };
const BGP_VERSION = 4;
const PARAMETER_CAPABILITIES = 2;
/** RFC 9072: extended optional parameters length. */
const PARAMETER_EXTENDED = 255;

/**
 * Parses one whole message as the Framer cuts it. Throws BgpError, whose codes go into the NOTIFICATION.
 *
 *      0                   1                   2                   3
 *     +---------------------------------------------------------------+
 *     |                      Marker (16 x 0xff)                       |
 *     +-------------------------------+---------------+---------------+
 *     |          Length (16)          |    Type (8)   |   body ...
 */
export function parseMessage(bytes: Uint8Array, context: AttributeContext): IncomingMessage {
  const reader = new ByteReader(bytes);
  reader.skip(18);
  const type = reader.u8();
  switch (type) {
    case TYPES.open:
      return parseOpen(reader);
    case TYPES.update:
      return { type: 'update', ...parseUpdate(reader, context) };
    case TYPES.notification:
      return { type: 'notification', code: reader.u8(), subcode: reader.u8(), data: Uint8Array.from(reader.rest()) };
    case TYPES.keepalive:
      return { type: 'keepalive' };
    case TYPES['route-refresh']: {
      if (reader.remaining !== 4) throw new BgpError('route-refresh', 1, 'a ROUTE-REFRESH has the wrong length');
      return { type: 'route-refresh', afi: reader.u16(), subtype: reader.u8(), safi: reader.u8() };
    }
    default:
      throw new BgpError('message-header', 3, `message type ${type} is not known`, Uint8Array.of(type));
  }
}

export function composeMessage(message: OutgoingMessage, context: AttributeContext): Uint8Array {
  const writer = new ByteWriter(128);
  writer.bytes(new Uint8Array(16).fill(0xff)).u16(0).u8(TYPES[message.type]);
  switch (message.type) {
    case 'open':
      composeOpen(writer, message);
      break;
    case 'update':
      composeUpdate(writer, message, context);
      break;
    case 'notification':
      writer.u8(message.code).u8(message.subcode).bytes(message.data);
      break;
    case 'keepalive':
      break;
    case 'route-refresh':
      writer.u16(message.afi).u8(message.subtype).u8(message.safi);
      break;
    default:
      message satisfies never;
  }
  if (writer.length > MAX_MESSAGE_BYTES) throw new RangeError(`a BGP message of ${writer.length} bytes`);
  writer.patchU16(16, writer.length);
  return writer.finish();
}

function parseOpen(reader: ByteReader): Open {
  const version = reader.u8();
  if (version !== BGP_VERSION) {
    throw new BgpError('open-message', 1, `BGP version ${version} is not spoken`, Uint8Array.of(0, BGP_VERSION));
  }
  const shortAsn = reader.u16();
  const holdTimeSeconds = reader.u16();
  if (holdTimeSeconds === 1 || holdTimeSeconds === 2) {
    throw new BgpError('open-message', 6, `a hold time of ${holdTimeSeconds} s is not acceptable`);
  }
  const identifier = reader.u32();
  if (identifier === 0) throw new BgpError('open-message', 3, 'the BGP identifier is zero');
  const capabilities = parseParameters(reader);
  const wide = capabilities.find((capability) => capability.kind === 'four-octet-as');
  const asn = wide?.asn ?? shortAsn;
  if (asn === 0) throw new BgpError('open-message', 2, 'the peer says it is AS 0');
  return { type: 'open', asn, holdTimeSeconds, identifier, capabilities };
}

function parseParameters(reader: ByteReader): Capability[] {
  const capabilities: Capability[] = [];
  try {
    let length = reader.u8();
    let wide = false;
    if (length === PARAMETER_EXTENDED && reader.remaining > 0) {
      const mark = reader.offset;
      if (reader.u8() === PARAMETER_EXTENDED) {
        length = reader.u16();
        wide = true;
      } else {
        reader.seek(mark);
      }
    }
    const parameters = reader.sub(length);
    if (!reader.isAtEnd) throw new RangeError('bytes after the optional parameters');
    while (!parameters.isAtEnd) {
      const type = parameters.u8();
      const body = parameters.sub(wide ? parameters.u16() : parameters.u8());
      if (type !== PARAMETER_CAPABILITIES)
        throw new BgpError('open-message', 4, `optional parameter ${type} is not known`);
      capabilities.push(...parseCapabilities(body));
    }
  } catch (error) {
    if (error instanceof BgpError) throw error;
    throw new BgpError('open-message', 0, 'the optional parameters of the OPEN are malformed');
  }
  return capabilities;
}

function composeOpen(writer: ByteWriter, open: Open): void {
  writer
    .u8(BGP_VERSION)
    .u16(open.asn > 0xffff ? AS_TRANS : open.asn)
    .u16(open.holdTimeSeconds)
    .u32(open.identifier);
  writer.lengthPrefixed(1, () => {
    if (open.capabilities.length === 0) return;
    writer.u8(PARAMETER_CAPABILITIES).lengthPrefixed(1, () => {
      for (const capability of open.capabilities) composeCapability(writer, capability);
    });
  });
}

/** Cuts a TCP stream into messages. Throws BgpError 'message-header' for a bad marker or length (RFC 4271 section 6.1). */
export class Framer {
  #pending: Uint8Array = new Uint8Array();

  push(chunk: Uint8Array): Uint8Array[] {
    const messages: Uint8Array[] = [];
    let bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    while (bytes.length >= HEADER_BYTES) {
      for (let i = 0; i < 16; i++) {
        if (bytes[i] !== 0xff) throw new BgpError('message-header', 1, 'the marker is not all ones');
      }
      const reader = new ByteReader(bytes);
      reader.skip(16);
      const length = reader.u16();
      const type = reader.u8();
      if (
        length < (MIN_LENGTH[type] ?? HEADER_BYTES) ||
        length > MAX_MESSAGE_BYTES ||
        (type === TYPES.keepalive && length !== HEADER_BYTES)
      ) {
        throw new BgpError('message-header', 2, `a message of type ${type} has length ${length}`, bytes.slice(16, 18));
      }
      if (bytes.length < length) break;
      messages.push(bytes.subarray(0, length));
      bytes = bytes.subarray(length);
    }
    this.#pending = bytes.slice();
    return messages;
  }
}
