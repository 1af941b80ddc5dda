import { createServer, Socket } from 'node:net';
import { type Clock, type Ip, messageOf, parseIp } from '@ballast/base';
import { beginTcpConnection, closeFd, connectionState, errnoName, openTcpListener } from '@ballast/linux';
import type { PeerConfig } from './session-config.ts';

/** One TCP connection as the driver sees it. */
export interface Transport {
  readonly localAddress: Ip;
  readonly remoteAddress: Ip;
  send(bytes: Uint8Array): void;
  /** Sends what is queued, then closes. */
  close(): void;
  onData(handler: (bytes: Uint8Array) => void): void;
  /** Called once, also after close(). */
  onClosed(handler: (why: string) => void): void;
}

/** How often a connection that is being made is looked at. Such sockets cannot join Node's event loop with their MD5 key set. */
const CONNECT_POLL_MS = 20;
const CONNECT_TIMEOUT_MS = 5000;

/** Connects with the peer's options. The result is undefined-free: either `connected` or `failed` is called once, unless disposed. */
export function connectTransport(
  peer: PeerConfig,
  options: {
    readonly clock: Clock;
    readonly connected: (transport: Transport) => void;
    readonly failed: (why: string) => void;
  },
): Disposable {
  const { clock } = options;
  let timer: Disposable | undefined;
  let fd: number;
  try {
    fd = beginTcpConnection({
      peer: peer.address,
      port: peer.port,
      ttl: peer.ttl,
      ...(peer.sourceAddress ? { source: peer.sourceAddress } : {}),
      ...(peer.device === undefined ? {} : { device: peer.device }),
      ...(peer.password === undefined ? {} : { md5Keys: [{ peer: peer.address, key: peer.password }] }),
    });
  } catch (error) {
    timer = clock.timer(0, () => options.failed(messageOf(error)));
    return timer;
  }
  const startedMs = clock.monotonicMs();
  const look = () => {
    const state = connectionState(fd);
    if (state === 'connected') {
      options.connected(wrap(new Socket({ fd })));
      return;
    }
    const late = clock.monotonicMs() - startedMs > CONNECT_TIMEOUT_MS;
    if (state === 'connecting' && !late) {
      timer = clock.timer(CONNECT_POLL_MS, look);
      return;
    }
    closeFd(fd);
    options.failed(state === 'connecting' ? 'connect timed out' : `connect failed: ${errnoName(state.errno)}`);
  };
  timer = clock.timer(1, look);
  let disposed = false;
  return {
    [Symbol.dispose]() {
      if (disposed) return;
      disposed = true;
      timer?.[Symbol.dispose]();
      closeFd(fd);
    },
  };
}

/** Listens for peers; `accept` is called for each connection. */
export function listenTransport(options: {
  readonly address: Ip;
  readonly port: number;
  readonly peers: readonly PeerConfig[];
  readonly accept: (transport: Transport) => void;
  readonly failed: (why: string) => void;
}): AsyncDisposable {
  const md5Keys = options.peers.flatMap((peer) =>
    peer.password === undefined || peer.address.family !== options.address.family
      ? []
      : [{ peer: peer.address, key: peer.password }],
  );
  const fd = openTcpListener({ address: options.address, port: options.port, md5Keys });
  const server = createServer((socket) => options.accept(wrap(socket)));
  server.on('error', (error) => options.failed(error.message));
  server.listen({ fd });
  return {
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function wrap(socket: Socket): Transport {
  let why = 'connection closed by the peer';
  socket.setNoDelay(true);
  socket.on('error', (error) => {
    why = messageOf(error);
  });
  return {
    localAddress: addressOf(socket.localAddress),
    remoteAddress: addressOf(socket.remoteAddress),
    send: (bytes) => socket.write(bytes),
    close() {
      // Half-closing first lets a NOTIFICATION arrive; a peer that does not answer is cut off.
      socket.end(() => socket.destroy());
      setTimeout(() => socket.destroy(), 500).unref();
    },
    onData: (handler) => socket.on('data', handler),
    onClosed: (handler) => socket.on('close', () => handler(why)),
  };
}

function addressOf(text: string | undefined): Ip {
  const bare = (text ?? '').replace(/%.*$/, '').replace(/^::ffff:(?=[0-9.]+$)/, '');
  return parseIp(bare) ?? { family: 4, value: 0n };
}
