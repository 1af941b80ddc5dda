import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { listenError } from './listen-error.ts';
import { type OpenTransport, plainAddress } from './transport.ts';

/** Queries worked on at a time; more are dropped, as a full socket buffer would. Clients ask again. */
const MAX_IN_FLIGHT = 10_000;
const BUFFER_OCTETS = 4 * 1024 * 1024;

/** UDP over node:dgram (RFC 1035, section 4.2.1): the simple transport, which works everywhere. */
export const openUdp: OpenTransport = async ({ at, respond }) => {
  const socket = createSocket(isIPv6(at.host) ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' });
  let inFlight = 0;
  let idle: (() => void) | undefined;
  socket.on('message', (bytes, { address, port }) => {
    if (inFlight >= MAX_IN_FLIGHT) return;
    inFlight++;
    void respond(bytes, { address: plainAddress(address), port }, 'udp').then((answer) => {
      inFlight--;
      // An answer that cannot be sent is lost, as any datagram may be.
      if (answer) socket.send(answer.bytes, port, address, () => {});
      if (inFlight === 0) idle?.();
    });
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (error) => reject(listenError(error, 'udp', at)));
    socket.bind({ address: at.host, port: at.port }, () => {
      socket.removeAllListeners('error');
      // After binding, an ICMP error of some client must not end the server.
      socket.on('error', () => {});
      resolve();
    });
  });
  try {
    socket.setRecvBufferSize(BUFFER_OCTETS);
  } catch {
    // The system's limit (net.core.rmem_max) is what it is.
  }
  return {
    protocol: 'udp',
    address: { host: at.host, port: socket.address().port },
    async close() {
      socket.removeAllListeners('message');
      if (inFlight > 0) await new Promise<void>((resolve) => (idle = resolve));
      await new Promise<void>((resolve) => socket.close(() => resolve()));
    },
  };
};
