import { BallastError } from '@ballast/base';
import type { Peer, Protocol } from '../chain/query.ts';
import { composeMessage, parseMessage } from '../wire/codec.ts';
import type { Message } from '../wire/message.ts';
import type { OpenTransport, Responder, WireAnswer } from './transport.ts';

/** A server's door without sockets, for tests: what is asked goes through the bytes of the wire all the same. */
export interface MemoryTransport {
  readonly open: OpenTransport;
  /** The answer; undefined when there is none. */
  ask(query: Message, options?: { client?: Peer; protocol?: Protocol }): Promise<Message | undefined>;
  /** The answer with what it tells the transport. */
  askWire(query: Message, options?: { client?: Peer; protocol?: Protocol }): Promise<WireAnswer | undefined>;
  /** Names that were to be forgotten, in order. */
  readonly forgotten: readonly string[];
}

const CLIENT: Peer = { address: '192.0.2.100', port: 40_000 };

/** Makes a transport for `startDnsServer({ transports: [memory.open] })`. */
export function createMemoryTransport(): MemoryTransport {
  let responder: Responder | undefined;
  const forgotten: string[] = [];
  const askWire: MemoryTransport['askWire'] = async (query, { client = CLIENT, protocol = 'udp' } = {}) => {
    if (!responder) throw new BallastError('address-unusable', 'nothing listens on this transport');
    return responder(composeMessage(query), client, protocol);
  };
  return {
    forgotten,
    async open({ at, respond }) {
      responder = respond;
      return {
        protocol: 'udp',
        address: { host: at.host, port: at.port },
        forgetBelow: (names) => forgotten.push(...names),
        async close() {
          responder = undefined;
        },
      };
    },
    askWire,
    async ask(query, options) {
      const answer = await askWire(query, options);
      return answer && parseMessage(answer.bytes);
    },
  };
}
