import type { Name } from './name.ts';
import type { KnownKind, Rdata, RdataOf } from './rdata.ts';
import { formatRdata } from './rdata.ts';
import { CLASS, className, TYPE, typeName } from './registry.ts';

export interface Question {
  /** As the client spelled it. */
  readonly name: Name;
  readonly type: number;
  readonly class: number;
}

export interface ResourceRecord {
  readonly name: Name;
  readonly type: number;
  readonly class: number;
  /** Seconds. */
  readonly ttl: number;
  readonly data: Rdata;
}

export interface EdnsOption {
  readonly code: number;
  readonly octets: Uint8Array;
}

/** The OPT pseudo-record (RFC 6891), lifted out of the additional section. Its extended RCODE is part of Message.rcode. */
export interface Edns {
  readonly udpSize: number;
  readonly version: number;
  readonly dnssecOk: boolean;
  readonly options: readonly EdnsOption[];
}

/** A DNS message (RFC 1035, section 4). Immutable: a plugin that changes an answer makes a new one. */
export interface Message {
  readonly id: number;
  readonly response: boolean;
  readonly opcode: number;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly recursionDesired: boolean;
  readonly recursionAvailable: boolean;
  readonly authenticData: boolean;
  readonly checkingDisabled: boolean;
  /** Twelve bits when the message has EDNS. */
  readonly rcode: number;
  readonly questions: readonly Question[];
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  /** Without OPT. */
  readonly additionals: readonly ResourceRecord[];
  readonly edns?: Edns | undefined;
}

const EMPTY: Message = {
  id: 0,
  response: false,
  opcode: 0,
  authoritative: false,
  truncated: false,
  recursionDesired: false,
  recursionAvailable: false,
  authenticData: false,
  checkingDisabled: false,
  rcode: 0,
  questions: [],
  answers: [],
  authorities: [],
  additionals: [],
};

/** A query for one name. */
export function makeQuery(
  question: { name: Name; type: number; class?: number },
  fields: Partial<Message> = {},
): Message {
  return {
    ...EMPTY,
    recursionDesired: true,
    questions: [{ name: question.name, type: question.type, class: question.class ?? CLASS.IN }],
    ...fields,
  };
}

/** An answer to `request`: its id, opcode, question and the flags that are echoed (RFC 1035, 4.1.1; RFC 4035, 3.2.2), plus `fields`. */
export function makeReply(request: Message, fields: Partial<Message> = {}): Message {
  return {
    ...EMPTY,
    id: request.id,
    response: true,
    opcode: request.opcode,
    recursionDesired: request.recursionDesired,
    checkingDisabled: request.checkingDisabled,
    questions: request.questions,
    ...fields,
  };
}

/** A record of a known type in class IN. */
export function makeRecord<K extends KnownKind>(
  kind: K,
  owner: { readonly name: Name; readonly ttl: number },
  data: Omit<RdataOf<K>, 'kind'>,
): ResourceRecord {
  // The data and its kind belong together by this function's signature; the union cannot see it.
  return {
    name: owner.name,
    type: TYPE[kind],
    class: CLASS.IN,
    ttl: owner.ttl,
    data: { kind, ...data } as unknown as Rdata,
  };
}

/** One line in the form of dig and zone files: 'name ttl class type data'. */
export function formatRecord(record: ResourceRecord): string {
  const { name, ttl, type } = record;
  return `${name} ${ttl} ${className(record.class)} ${typeName(type)} ${formatRdata(type, record.data)}`;
}
