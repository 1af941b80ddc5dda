import { createServer, type Socket } from 'node:net';
import type { Peer } from '../chain/query.ts';
import { listenError } from './listen-error.ts';
import { type OpenTransport, plainAddress, type Responder } from './transport.ts';

/** Connections at a time; beyond, the one that has been idle longest makes room (RFC 7766, section 6.2.2). */
const MAX_CONNECTIONS = 1024;
/** Queries of one connection worked on at a time; beyond, its socket is not read. */
const MAX_PIPELINED = 128;
const IDLE_MS = 10_000;
const MAX_MESSAGE = 0xffff;

/** TCP (RFC 1035, section 4.2.2) with pipelining and answers in the order in which they are ready (RFC 7766, section 6.2.1.1). */
export const openTcp: OpenTransport = async ({ at, respond }) => {
  const connections = new Set<Connection>();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    if (connections.size >= MAX_CONNECTIONS) {
      const idlest = connections.values().find((connection) => connection.isIdle) ?? connections.values().next().value;
      idlest?.end();
    }
    const connection = new Connection(socket, respond);
    connections.add(connection);
    socket.on('close', () => connections.delete(connection));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, 'tcp', at)));
    server.listen({ host: at.host, port: at.port, ipv6Only: true }, resolve);
  });
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : at.port;
  return {
    protocol: 'tcp',
    address: { host: at.host, port },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const connection of connections) connection.finish();
      await closed;
    },
  };
};

class Connection {
  readonly #socket: Socket;
  readonly #respond: Responder;
  readonly #peer: Peer;
  #received: Buffer = Buffer.alloc(0);
  #inFlight = 0;
  #finishing = false;

  constructor(socket: Socket, respond: Responder) {
    this.#socket = socket;
    this.#respond = respond;
    this.#peer = { address: plainAddress(socket.remoteAddress ?? ''), port: socket.remotePort ?? 0 };
    socket.setTimeout(IDLE_MS, () => this.end());
    socket.on('error', () => socket.destroy());
    // A client may close its side behind its last query and still wants the answers.
    socket.on('end', () => this.finish());
    socket.on('data', (chunk: Buffer) => {
      this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
      this.#takeMessages();
    });
  }

  get isIdle(): boolean {
    return this.#inFlight === 0;
  }

  end(): void {
    this.#socket.destroy();
  }

  /** Answers what has been asked, then closes. */
  finish(): void {
    this.#finishing = true;
    this.#takeMessages();
    if (this.isIdle) this.#socket.end();
    this.#socket.setTimeout(1000);
  }

  #takeMessages(): void {
    while (this.#inFlight < MAX_PIPELINED) {
      if (this.#received.length < 2) break;
      const length = this.#received.readUInt16BE(0);
      if (this.#received.length < 2 + length) break;
      const message = this.#received.subarray(2, 2 + length);
      this.#received = this.#received.subarray(2 + length);
      this.#inFlight++;
      void this.#respond(message, this.#peer, 'tcp').then((answer) => this.#answered(answer?.bytes));
    }
    if (this.#inFlight >= MAX_PIPELINED) this.#socket.pause();
  }

  #answered(bytes: Uint8Array | undefined): void {
    this.#inFlight--;
    if (this.#socket.destroyed) return;
    if (bytes && bytes.length <= MAX_MESSAGE) {
      const framed = Buffer.allocUnsafe(2 + bytes.length);
      framed.writeUInt16BE(bytes.length, 0);
      framed.set(bytes, 2);
      this.#socket.write(framed);
    }
    if (this.#finishing && this.isIdle) this.#socket.end();
    else if (this.#socket.isPaused()) this.#socket.resume();
    this.#takeMessages();
  }
}
