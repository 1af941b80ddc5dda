import { type Clock, type Logger, messageOf } from '@ballast/base';
import type { DnsMetrics } from '../chain/metrics.ts';
import { failure, type Outcome, type Peer, type Protocol, type Query } from '../chain/query.ts';
import { RequestMetrics } from '../chain/request-metrics.ts';
import type { Responder, WireAnswer } from '../transport/transport.ts';
import { composeWithin, HEADER_OCTETS, parseMessage } from '../wire/codec.ts';
import { type Edns, type Message, makeReply } from '../wire/message.ts';
import { CLASS, EDNS_OPTION, OPCODE, RCODE } from '../wire/registry.ts';
import type { ReuseLedger } from './reuse-ledger.ts';
import type { Route, Router } from './router.ts';

/** RFC 1035, section 4.2.1: what a client without EDNS takes over UDP. */
const PLAIN_UDP_OCTETS = 512;
/** Most that is sent over UDP whatever the client says: fragments are lost and abused. */
const MAX_UDP_OCTETS = 4096;
const MAX_TCP_OCTETS = 0xffff;
/** What this server says it takes: the size that fits every path (DNS Flag Day 2020). */
const OWN_UDP_OCTETS = 1232;

/** Options of a plugin's answer that concern only the hop it came over. */
const HOP_OPTIONS: readonly number[] = [EDNS_OPTION.COOKIE, EDNS_OPTION.TCP_KEEPALIVE, EDNS_OPTION.PADDING];

export interface ResponderOptions {
  /** The zones at this moment: a reload changes them between two queries. */
  readonly router: () => Router;
  /** 'dns://:53', for queries that reach no block. */
  readonly server: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: DnsMetrics;
  readonly ledger: ReuseLedger;
}

/** Turns the bytes of a query into the bytes of its answer: parse, route, ask the chain, cut to size. Never rejects. */
export function createResponder(options: ResponderOptions): Responder {
  const { logger, clock, router, ledger } = options;
  const requests = new RequestMetrics(options.metrics);
  const panics = options.metrics.counter({
    name: 'panics_total',
    help: 'Queries that failed by an error of the server.',
  });

  const ask = async (route: Route, query: Query): Promise<Outcome> => {
    try {
      return await route.block.ask(query);
    } catch (error) {
      panics.inc();
      logger.error('a plugin failed', { name: query.name, type: query.type, error });
      return failure('', 'SERVFAIL');
    }
  };

  return async (bytes, client, protocol) => {
    const startMs = clock.monotonicMs();
    const arrival = readRequest(bytes);
    if (arrival.kind === 'ignore') return undefined;
    if (arrival.kind === 'answer') return { bytes: arrival.bytes };
    const { request } = arrival;
    const refusal = refuseEarly(request, router());
    const query = makeQueryOf({ request, client, protocol, requestOctets: bytes.length });
    const route = refusal || !query ? undefined : router().find(query.name, query.type);
    if (!query || !route) {
      const outcome = refusal ?? failure('', 'REFUSED');
      const answer = compose(outcome, request, protocol);
      if (query) {
        requests.count(
          { query, outcome, replyOctets: answer?.length ?? 0, seconds: 0, times: 1 },
          options.server,
          'dropped',
        );
      }
      return answer && { bytes: answer };
    }
    const routed = { ...query, zone: route.zone };
    const outcome = await ask(route, routed);
    const answer = tryCompose(outcome, request, protocol, logger);
    const seconds = (clock.monotonicMs() - startMs) / 1000;
    const observation = { query: routed, outcome, replyOctets: answer?.length ?? 0, seconds, times: 1 };
    route.block.observe(observation);
    if (!answer) return undefined;
    const wire: WireAnswer = { bytes: answer };
    // Options such as cookies differ from query to query: such an answer would never be asked for again.
    if (outcome.kind !== 'reply' || !route.block.allowsReuse || (request.edns?.options.length ?? 0) > 0) return wire;
    const { reusableMs, reusableName: name = query.name, isShuffled: mayRotate = false } = outcome;
    if (reusableMs === undefined) return wire;
    return {
      ...wire,
      reusable: { reusableMs, mayRotate, name, tally: ledger.open(observation, route.block) },
    };
  };
}

type Arrival =
  | { readonly kind: 'ignore' }
  | { readonly kind: 'answer'; readonly bytes: Uint8Array }
  | { readonly kind: 'request'; readonly request: Message };

function readRequest(bytes: Uint8Array): Arrival {
  // An answer that answers answers would make two servers talk forever.
  if (bytes.length < HEADER_OCTETS || ((bytes[2] ?? 0) & 0x80) !== 0) return { kind: 'ignore' };
  try {
    return { kind: 'request', request: parseMessage(bytes) };
  } catch {
    // All that can be relied on is the id and the opcode.
    const answer = new Uint8Array(HEADER_OCTETS);
    answer.set(bytes.subarray(0, 2));
    answer[2] = 0x80 | ((bytes[2] ?? 0) & 0x79);
    answer[3] = RCODE.FORMERR;
    return { kind: 'answer', bytes: answer };
  }
}

function makeQueryOf(arrival: {
  request: Message;
  client: Peer;
  protocol: Protocol;
  requestOctets: number;
}): Query | undefined {
  const [question] = arrival.request.questions;
  if (!question) return undefined;
  return { ...arrival, question, name: question.name.toLowerCase(), type: question.type, zone: '.', depth: 0 };
}

/** What is answered without asking any plugin. */
function refuseEarly(request: Message, router: Router): Outcome | undefined {
  const [question, second] = request.questions;
  if (request.opcode !== OPCODE.QUERY) return failure('', 'NOTIMP');
  if (!question) return failure('', 'SERVFAIL');
  // RFC 9619: a query has one question.
  if (second) return failure('', 'FORMERR');
  if (request.edns && request.edns.version !== 0) return failure('', 'BADVERS');
  if (question.class !== CLASS.IN && !router.takesAnyClass) return failure('', 'REFUSED');
  return undefined;
}

function tryCompose(outcome: Outcome, request: Message, protocol: Protocol, logger: Logger): Uint8Array | undefined {
  try {
    return compose(outcome, request, protocol);
  } catch (error) {
    logger.error('an answer cannot be written', { plugin: outcome.plugin, error: messageOf(error) });
    return compose(failure('', 'SERVFAIL'), request, protocol);
  }
}

/** The bytes of an outcome, with the id, question and EDNS of the request, within what the client takes. */
export function compose(outcome: Outcome, request: Message, protocol: Protocol): Uint8Array | undefined {
  if (outcome.kind === 'drop') return undefined;
  const base = outcome.kind === 'reply' ? outcome.message : makeReply(request, { rcode: outcome.rcode });
  const message: Message = {
    ...base,
    id: request.id,
    response: true,
    questions: request.questions,
    edns: request.edns ? ownEdns(request.edns, base.edns) : undefined,
    // An extended code needs EDNS to be said.
    rcode: base.rcode > 15 && !request.edns ? RCODE.SERVFAIL : base.rcode,
  };
  const udpLimit = Math.min(Math.max(request.edns?.udpSize ?? 0, PLAIN_UDP_OCTETS), MAX_UDP_OCTETS);
  return composeWithin(message, protocol === 'udp' ? udpLimit : MAX_TCP_OCTETS);
}

/** RFC 6891, section 6.1.1: an OPT goes only to who sent one; options that are not understood are left out. */
function ownEdns(asked: Edns, answered: Edns | undefined): Edns {
  const options = (answered?.options ?? []).filter(({ code }) => !HOP_OPTIONS.includes(code));
  return { udpSize: OWN_UDP_OCTETS, version: 0, dnssecOk: asked.dnssecOk, options };
}
