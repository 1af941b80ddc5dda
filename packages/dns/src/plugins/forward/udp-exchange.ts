import { createSocket, type Socket } from 'node:dgram';
import { composeMessage, parseMessage } from '../../wire/codec.ts';
import type { Message } from '../../wire/message.ts';
import { type Exchange, unreachable, WaitingQueries } from './exchange.ts';
import type { UpstreamAddress } from './upstream-address.ts';

/** Sockets, and so source ports, in use at a time for one upstream. */
const MAX_SOCKETS = 8;
/** After so many queries a socket makes room for one with another source port (RFC 5452, section 9.2). */
const QUERIES_PER_SOCKET = 500;

interface Channel {
  readonly socket: Socket;
  readonly waiting: WaitingQueries;
  /** Resolves when the socket may send. */
  readonly connected: Promise<void>;
  uses: number;
}

/** Queries over UDP. Many share a few connected sockets, told apart by message id; each socket has a random source port. */
export class UdpExchange implements Exchange {
  readonly #upstream: UpstreamAddress;
  readonly #randomId: () => number;
  #channels: Channel[] = [];
  #turn = 0;
  #isClosed = false;

  constructor(upstream: UpstreamAddress, randomId: () => number) {
    this.#upstream = upstream;
    this.#randomId = randomId;
  }

  async ask(query: Message, timeoutMs: number): Promise<Message> {
    const channel = this.#pick();
    channel.uses += 1;
    try {
      await channel.connected;
      return await channel.waiting.wait(query.questions[0], timeoutMs, (id) => {
        channel.socket.send(composeMessage({ ...query, id }), (error) => {
          if (error) channel.waiting.failAll(unreachable(error));
        });
      });
    } finally {
      if (channel.uses >= QUERIES_PER_SOCKET || this.#isClosed) this.#retire(channel);
    }
  }

  close(): void {
    this.#isClosed = true;
    for (const channel of [...this.#channels]) this.#retire(channel);
  }

  #pick(): Channel {
    const isNeeded = this.#channels.every(({ waiting }) => waiting.size > 0);
    if (this.#channels.length < MAX_SOCKETS && isNeeded) this.#channels.push(this.#open());
    this.#turn = (this.#turn + 1) % this.#channels.length;
    return this.#channels[this.#turn] ?? this.#open();
  }

  /** A socket that is retired takes no new queries and closes when the last of the old ones is settled. */
  #retire(channel: Channel): void {
    this.#channels = this.#channels.filter((other) => other !== channel);
    if (channel.waiting.size > 0) return;
    try {
      channel.socket.close();
    } catch {
      // Closed by another query that ended at the same time.
    }
  }

  #open(): Channel {
    const { address, port } = this.#upstream;
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    const waiting = new WaitingQueries(this.#randomId);
    // A connected socket takes packets of this upstream only, and hears that nobody listens there (ECONNREFUSED).
    const connected = new Promise<void>((resolve, reject) => {
      socket.once('error', (error) => reject(unreachable(error)));
      socket.connect(port, address, resolve);
    });
    socket.on('error', (error) => waiting.failAll(unreachable(error)));
    socket.on('message', (bytes) => {
      try {
        waiting.answered(parseMessage(bytes));
      } catch {
        // Not DNS: the true answer may still come.
      }
    });
    // Waiting queries keep the process alive by their timers; an idle socket must not.
    socket.unref();
    return { socket, waiting, connected, uses: 0 };
  }
}
