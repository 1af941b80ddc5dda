import { BallastError } from '@ballast/base';
import type { BatchMessage, NetfilterSocket } from './netfilter-socket.ts';
import {
  attributeOf,
  MAX_ATTRIBUTE_BYTES,
  type NetlinkWriter,
  NLM_F_CREATE,
  parseAttributes,
} from './netlink-message.ts';

/** The value of a map's element: bytes, or what to do with the packet. */
export type ElementData =
  | { readonly kind: 'value'; readonly bytes: Buffer }
  | { readonly kind: 'goto'; readonly chain: string }
  | { readonly kind: 'drop' };

/** An element of a set or map as the kernel has it: each part of a concatenation is padded to four bytes. */
export interface NftElement {
  readonly key: Buffer;
  /** Upper bound, in sets of intervals. */
  readonly keyEnd?: Buffer;
  readonly data?: ElementData;
}

export interface NftContainer {
  readonly family: 4 | 6;
  readonly table: string;
  readonly name: string;
}

const NEWSETELEM = 12;
const GETSETELEM = 13;
const DELSETELEM = 14;
const GETGEN = 16;
const GETRULE = 7;

const LIST_TABLE = 1;
const LIST_SET = 2;
const LIST_ELEMENTS = 3;
const LIST_ELEM = 1;
const ELEM_KEY = 1;
const ELEM_DATA = 2;
const ELEM_KEY_END = 10;
const DATA_VALUE = 1;
const DATA_VERDICT = 2;
const VERDICT_CODE = 1;
const VERDICT_CHAIN = 2;
const NFT_GOTO = -4;
const NF_DROP = 0;
const GEN_ID = 1;
const RULE_TABLE = 1;
const RULE_CHAIN = 2;
const RULE_EXPRESSIONS = 4;

export function protocolFamily(family: 4 | 6): number {
  return family === 4 ? 2 : 10;
}

/** The messages that add or delete elements; as many as the 64 KB of an attribute require. */
export function elementMessages(
  op: 'add' | 'delete',
  container: NftContainer,
  elements: readonly NftElement[],
): BatchMessage[] {
  const messages: BatchMessage[] = [];
  let start = 0;
  let size = 0;
  const flush = (end: number) => {
    if (end === start) return;
    const slice = elements.slice(start, end);
    messages.push({
      type: op === 'add' ? NEWSETELEM : DELSETELEM,
      flags: op === 'add' ? NLM_F_CREATE : 0,
      protocolFamily: protocolFamily(container.family),
      attributes: (writer) => {
        writer.textAttribute(LIST_TABLE, container.table);
        writer.textAttribute(LIST_SET, container.name);
        writer.nest(LIST_ELEMENTS, () => {
          for (const element of slice) writeElement(writer, element);
        });
      },
    });
    start = end;
    size = 0;
  };
  for (const [i, element] of elements.entries()) {
    size += sizeOf(element);
    if (size > MAX_ATTRIBUTE_BYTES) {
      flush(i);
      size = sizeOf(element);
    }
  }
  flush(elements.length);
  return messages;
}

/** All elements of a set or map. A missing container is a NetfilterError ENOENT. */
export function listElements(socket: NetfilterSocket, container: NftContainer): NftElement[] {
  const elements: NftElement[] = [];
  const request: BatchMessage = {
    type: GETSETELEM,
    flags: 0,
    protocolFamily: protocolFamily(container.family),
    attributes: (writer) => {
      writer.textAttribute(LIST_TABLE, container.table);
      writer.textAttribute(LIST_SET, container.name);
    },
  };
  socket.dump(request, (payload) => {
    for (const { value } of parseAttributes(attributeOf(payload, LIST_ELEMENTS) ?? Buffer.alloc(0))) {
      elements.push(parseElement(value));
    }
  });
  return elements;
}

/** A number that every transaction of anybody in this network namespace changes. */
export function ruleSetGeneration(socket: NetfilterSocket): number {
  const payload = socket.ask({ type: GETGEN, flags: 0, protocolFamily: 0, attributes: () => {} });
  return attributeOf(payload, GEN_ID)?.readUInt32BE(0) ?? 0;
}

/** A rule in the kernel's form: comparable, not readable. */
export interface NftRule {
  readonly chain: string;
  readonly expressions: Buffer;
}

/** The rules of a table; none when it is missing. */
export function listRules(
  socket: NetfilterSocket,
  table: { readonly family: 4 | 6; readonly name: string },
): NftRule[] {
  const rules: NftRule[] = [];
  const request: BatchMessage = {
    type: GETRULE,
    flags: 0,
    protocolFamily: protocolFamily(table.family),
    attributes: (writer) => writer.textAttribute(RULE_TABLE, table.name),
  };
  socket.dump(request, (payload) => {
    const chain = attributeOf(payload, RULE_CHAIN);
    const expressions = attributeOf(payload, RULE_EXPRESSIONS) ?? Buffer.alloc(0);
    if (chain) rules.push({ chain: chain.subarray(0, -1).toString(), expressions });
  });
  return rules;
}

function writeElement(writer: NetlinkWriter, { key, keyEnd, data }: NftElement): void {
  writer.nest(LIST_ELEM, () => {
    writer.nest(ELEM_KEY, () => writer.bytesAttribute(DATA_VALUE, key));
    if (keyEnd) writer.nest(ELEM_KEY_END, () => writer.bytesAttribute(DATA_VALUE, keyEnd));
    if (!data) return;
    writer.nest(ELEM_DATA, () => {
      if (data.kind === 'value') {
        writer.bytesAttribute(DATA_VALUE, data.bytes);
        return;
      }
      writer.nest(DATA_VERDICT, () => {
        writer.u32Attribute(VERDICT_CODE, data.kind === 'drop' ? NF_DROP : NFT_GOTO);
        if (data.kind === 'goto') writer.textAttribute(VERDICT_CHAIN, data.chain);
      });
    });
  });
}

/** Bytes that writeElement takes, or a little more. */
function sizeOf({ key, keyEnd, data }: NftElement): number {
  const value = !data
    ? 0
    : data.kind === 'value'
      ? data.bytes.length
      : data.kind === 'goto'
        ? 20 + data.chain.length
        : 12;
  return 40 + key.length + (keyEnd ? keyEnd.length + 12 : 0) + value;
}

function parseElement(bytes: Buffer): NftElement {
  let key: Buffer | undefined;
  let keyEnd: Buffer | undefined;
  let data: ElementData | undefined;
  for (const { type, value } of parseAttributes(bytes)) {
    if (type === ELEM_KEY) key = attributeOf(value, DATA_VALUE);
    else if (type === ELEM_KEY_END) keyEnd = attributeOf(value, DATA_VALUE);
    else if (type === ELEM_DATA) data = parseData(value);
  }
  if (!key) throw new BallastError('netlink-malformed', 'an element without a key');
  return { key, ...(keyEnd ? { keyEnd } : {}), ...(data ? { data } : {}) };
}

function parseData(bytes: Buffer): ElementData | undefined {
  for (const { type, value } of parseAttributes(bytes)) {
    if (type === DATA_VALUE) return { kind: 'value', bytes: value };
    const chain = attributeOf(value, VERDICT_CHAIN);
    if (chain) return { kind: 'goto', chain: chain.subarray(0, -1).toString() };
    return { kind: 'drop' };
  }
  return undefined;
}
