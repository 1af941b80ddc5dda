import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

/**
 * A host of the test network: run inside a namespace as `peer.ts NAME PORT`. It answers TCP and UDP on PORT with 'NAME client-address'
 * (TCP: for every line it gets), and does what it is told on stdin, one JSON order a line, one JSON answer a line.
 */
export type Order =
  /** Opens `times` connections one after the other; answers with what each got: the server's line or an error code. */
  | {
      readonly op: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly times: number;
      readonly timeoutMs?: number;
    }
  /** Sends `times` datagrams, each from a socket of its own unless `from` names a kept one. */
  | {
      readonly op: 'udp';
      readonly host: string;
      readonly port: number;
      readonly times: number;
      readonly from?: string;
      readonly timeoutMs?: number;
    }
  /** Opens a connection that stays, under a name. */
  | { readonly op: 'hold'; readonly host: string; readonly port: number; readonly as: string }
  /** Sends a line over a held connection; answers with the server's line or an error code. */
  | { readonly op: 'say'; readonly as: string };

const [name = 'peer', portText = '0'] = process.argv.slice(2);
const TIMEOUT_MS = 1000;

createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', () => socket.write(`${name} ${plain(socket.remoteAddress)}\n`));
}).listen(Number(portText), '::');

const udpServer = createSocket({ type: 'udp6' });
udpServer.on('message', (_message, { address, port }) => udpServer.send(`${name} ${plain(address)}`, port, address));
udpServer.bind(Number(portText), '::', () => process.stdout.write('"listening"\n'));

function plain(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:/, '');
}

const held = new Map<string, Socket>();
const sockets = new Map<string, UdpSocket>();

function codeOf(error: Error): string {
  return (error as NodeJS.ErrnoException).code ?? error.message;
}

function ask(socket: Socket, timeoutMs = TIMEOUT_MS): Promise<string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve('TIMEOUT'), timeoutMs);
    const finish = (result: string) => {
      clearTimeout(timer);
      resolve(result);
    };
    socket.once('data', (data) => finish(data.toString().trim()));
    socket.once('error', (error) => finish(codeOf(error)));
    socket.write('hello\n');
  });
}

async function tcp(order: Extract<Order, { op: 'tcp' }>): Promise<string[]> {
  const results: string[] = [];
  for (let i = 0; i < order.times; i++) {
    const socket = connect(order.port, order.host);
    results.push(await ask(socket, order.timeoutMs));
    socket.destroy();
  }
  return results;
}

async function udp(order: Extract<Order, { op: 'udp' }>): Promise<string[]> {
  const results: string[] = [];
  for (let i = 0; i < order.times; i++) {
    let socket = order.from === undefined ? undefined : sockets.get(order.from);
    if (!socket) {
      socket = createSocket({ type: order.host.includes(':') ? 'udp6' : 'udp4' });
      const { promise, resolve } = Promise.withResolvers<void>();
      // Connected: only then does the kernel report an ICMP port unreachable to the sender.
      socket.connect(order.port, order.host, resolve);
      await promise;
      if (order.from !== undefined) sockets.set(order.from, socket);
    }
    const used = socket;
    results.push(
      await new Promise<string>((resolve) => {
        const timer = setTimeout(() => resolve('TIMEOUT'), order.timeoutMs ?? TIMEOUT_MS);
        const finish = (result: string) => {
          clearTimeout(timer);
          used.removeAllListeners();
          resolve(result);
        };
        used.once('message', (message) => finish(message.toString()));
        used.once('error', (error) => finish(codeOf(error)));
        used.send('hello');
      }),
    );
    if (order.from === undefined) socket.close();
  }
  return results;
}

async function obey(order: Order): Promise<string[]> {
  switch (order.op) {
    case 'tcp':
      return tcp(order);
    case 'udp':
      return udp(order);
    case 'hold': {
      const socket = connect(order.port, order.host);
      held.set(order.as, socket);
      return [await ask(socket)];
    }
    case 'say': {
      const socket = held.get(order.as);
      return [socket && !socket.destroyed ? await ask(socket) : 'CLOSED'];
    }
  }
}

const lines = createInterface({ input: process.stdin });
lines.on('line', async (line) => {
  process.stdout.write(`${JSON.stringify(await obey(JSON.parse(line) as Order))}\n`);
});
lines.on('close', () => process.exit(0));
