import type { Socket } from 'node:net';
import { composeMessage, parseMessage } from '../../wire/codec.ts';
import type { Message } from '../../wire/message.ts';
import { type Exchange, unreachable, WaitingQueries } from './exchange.ts';

/** Queries under way on one connection before another is opened. */
const MAX_PIPELINED = 100;

interface Connection {
  readonly socket: Socket;
  readonly waiting: WaitingQueries;
}

/**
 * Queries over TCP or TLS. They are pipelined on a connection that stays open between them, and answers may come in any order (RFC 7766,
 * sections 6.2.1 and 7). `connect` opens a socket.
 */
export class StreamExchange implements Exchange {
  readonly #connect: () => Socket;
  readonly #randomId: () => number;
  readonly #idleMs: number;
  readonly #connections = new Set<Connection>();

  constructor(options: { connect: () => Socket; randomId: () => number; idleMs: number }) {
    this.#connect = options.connect;
    this.#randomId = options.randomId;
    this.#idleMs = options.idleMs;
  }

  ask(query: Message, timeoutMs: number): Promise<Message> {
    const free = this.#connections.values().find(({ waiting }) => waiting.size < MAX_PIPELINED);
    const { socket, waiting } = free ?? this.#open();
    return waiting.wait(query.questions[0], timeoutMs, (id) => {
      const bytes = composeMessage({ ...query, id });
      const framed = Buffer.allocUnsafe(2 + bytes.length);
      framed.writeUInt16BE(bytes.length, 0);
      framed.set(bytes, 2);
      socket.write(framed);
    });
  }

  close(): void {
    for (const { socket } of this.#connections) socket.destroy();
  }

  #open(): Connection {
    const socket = this.#connect();
    const connection = { socket, waiting: new WaitingQueries(this.#randomId) };
    this.#connections.add(connection);
    let received: Buffer = Buffer.alloc(0);
    let why: Error = unreachable('the upstream closed the connection');
    socket.setTimeout(this.#idleMs, () => {
      if (connection.waiting.size === 0) socket.destroy();
    });
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        this.#receive(connection, received.subarray(2, end));
        received = received.subarray(end);
      }
    });
    socket.on('error', (error) => {
      why = unreachable(error);
    });
    socket.on('close', () => {
      this.#connections.delete(connection);
      connection.waiting.failAll(why);
    });
    socket.unref();
    return connection;
  }

  #receive({ socket, waiting }: Connection, bytes: Uint8Array): void {
    try {
      waiting.answered(parseMessage(bytes));
    } catch {
      // A stream that is not DNS cannot be followed any further.
      socket.destroy();
    }
  }
}
