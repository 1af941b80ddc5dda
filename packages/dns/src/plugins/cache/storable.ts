import type { Message, ResourceRecord } from '../../wire/message.ts';
import { OPCODE, RCODE, TYPE } from '../../wire/registry.ts';

/** Which store an answer belongs in; SERVFAIL and NOTIMP have a time of their own. */
export type Storable = 'success' | 'denial' | 'failure';

/** Seconds for answers without a record to take a TTL from. */
export const NO_RECORD_SECONDS = 5;

/** Whether and where an answer may be kept; undefined when it may not. */
export function classify(message: Message): Storable | undefined {
  const [question] = message.questions;
  if (!question || message.truncated || message.opcode !== OPCODE.QUERY) return undefined;
  if (question.type === TYPE.AXFR || question.type === TYPE.IXFR) return undefined;
  const hasSoa = message.authorities.some((record) => record.type === TYPE.SOA);
  switch (message.rcode) {
    case RCODE.NXDOMAIN:
      return hasSoa ? 'denial' : undefined;
    case RCODE.SERVFAIL:
    case RCODE.NOTIMP:
      return 'failure';
    case RCODE.NOERROR: {
      const answered = message.answers.some(({ type }) => type === question.type || question.type === TYPE.ANY);
      return !answered && hasSoa ? 'denial' : 'success';
    }
    default:
      return undefined;
  }
}

/** Seconds an answer may be kept: the least TTL of its records, within the bounds. A referral is kept for a moment only. */
export function secondsToKeep(
  message: Message,
  { minSeconds, maxSeconds }: { minSeconds: number; maxSeconds: number },
): number {
  const records = [...message.answers, ...message.authorities, ...message.additionals];
  const isReferral = message.answers.length === 0 && !message.authorities.some(({ type }) => type === TYPE.SOA);
  if (records.length === 0 || isReferral) return NO_RECORD_SECONDS;
  const least = records.reduce((min, record) => Math.min(min, ttlOf(record)), Number.MAX_SAFE_INTEGER);
  return Math.min(Math.max(least, minSeconds), Math.max(maxSeconds, 0));
}

/** A negative answer lives no longer than the SOA's minimum (RFC 2308, section 5). */
function ttlOf({ ttl, data }: ResourceRecord): number {
  return data.kind === 'SOA' ? Math.min(ttl, data.minimum) : ttl;
}

/** The message with every TTL set. */
export function withTtl(message: Message, seconds: number): Message {
  const set = (records: readonly ResourceRecord[]) => records.map((record) => ({ ...record, ttl: seconds }));
  return {
    ...message,
    answers: set(message.answers),
    authorities: set(message.authorities),
    additionals: set(message.additionals),
  };
}

const DNSSEC_TYPES: ReadonlySet<number> = new Set([TYPE.RRSIG, TYPE.NSEC, TYPE.NSEC3, TYPE.NSEC3PARAM]);

/** RFC 4035, section 3.2.1: without DO, no signatures that were not asked for. */
export function withoutDnssec(message: Message): Message {
  const asked = message.questions[0]?.type;
  const keep = (records: readonly ResourceRecord[]) =>
    records.some(({ type }) => DNSSEC_TYPES.has(type) && type !== asked)
      ? records.filter(({ type }) => !DNSSEC_TYPES.has(type) || type === asked)
      : records;
  return {
    ...message,
    answers: keep(message.answers),
    authorities: keep(message.authorities),
    additionals: keep(message.additionals),
  };
}
