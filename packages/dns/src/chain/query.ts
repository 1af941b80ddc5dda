import type { Message, Question } from '../wire/message.ts';
import type { Name } from '../wire/name.ts';
import { RCODE } from '../wire/registry.ts';

/** Who asked. */
export interface Peer {
  /** Canonical; an IPv4-mapped IPv6 address is given as IPv4. */
  readonly address: string;
  readonly port: number;
}

export type Protocol = 'udp' | 'tcp';

/** One question on its way through a plugin chain. Immutable: a plugin that rewrites it passes a new one on. */
export interface Query {
  readonly request: Message;
  readonly question: Question;
  /** The question's name in lower case: what plugins compare. */
  readonly name: Name;
  readonly type: number;
  readonly client: Peer;
  readonly protocol: Protocol;
  /** Size of the request as it arrived. */
  readonly requestOctets: number;
  /** Zone of the server block that the query was routed to. */
  readonly zone: Name;
  /** How often the server has asked itself on behalf of this query (CNAME targets). */
  readonly depth: number;
}

/**
 * What became of a query. Exactly one of three, so that nobody has to guess from a response code whether something was written:
 * a `reply` goes to the client; a `failure` makes the server write an answer of that code without records; `drop` sends nothing.
 */
export type Outcome =
  | {
      readonly kind: 'reply';
      readonly message: Message;
      /** The plugin that made the message. */
      readonly plugin: string;
      /** Set by `cache`: for how long the same question from anybody may get this message again, its TTLs aged. */
      readonly reusableMs?: number;
      /** Beside it: the name under which `cache` keeps the message. A plugin above it may have asked for another than the client did. */
      readonly reusableName?: Name;
      /** Set by `loadbalance`: the order of the addresses is chance, and another is as good. */
      readonly isShuffled?: boolean;
    }
  | { readonly kind: 'failure'; readonly rcode: number; readonly plugin: string; readonly error?: string }
  | { readonly kind: 'drop'; readonly plugin: string };

/** Asks the rest of the chain. */
export type Next = (query: Query) => Promise<Outcome>;

/** A plugin's part in a chain: answer, or ask `next` and perhaps change what comes back. */
export type Handler = (query: Query, next: Next) => Promise<Outcome>;

export function reply(plugin: string, message: Message): Outcome {
  return { kind: 'reply', plugin, message };
}

/** A failure that the operator should hear of; `errors` logs its text. */
export function failure(plugin: string, rcode: keyof typeof RCODE, error?: string): Outcome {
  return { kind: 'failure', plugin, rcode: RCODE[rcode], ...(error === undefined ? {} : { error }) };
}

/** The response code that the client will see; undefined when it sees nothing. */
export function rcodeOf(outcome: Outcome): number | undefined {
  if (outcome.kind === 'reply') return outcome.message.rcode;
  return outcome.kind === 'failure' ? outcome.rcode : undefined;
}

/** Puts handlers in a row; behind the last, every query is refused. */
export function composeChain(handlers: readonly Handler[]): Next {
  let next: Next = async () => failure('', 'REFUSED');
  for (const handler of handlers.toReversed()) {
    const after = next;
    next = (query) => handler(query, after);
  }
  return next;
}
