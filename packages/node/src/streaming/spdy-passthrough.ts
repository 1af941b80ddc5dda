import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';

/** Headers of the client's request that the runtime has to see. */
const PASSED = ['x-stream-protocol-version', 'x-accept-stream-protocol-version'];

/**
 * Hands a client's SPDY upgrade to the runtime's streaming server at `url`: the request goes there with its protocol headers, and from
 * then on bytes pass unread in both directions, the answer to the upgrade included.
 */
export function passThroughSpdy(request: IncomingMessage, client: Duplex, head: Buffer, url: string): void {
  const { hostname, port, pathname, search } = new URL(url);
  const runtime = connect({ host: hostname, port: Number(port) });
  const finish = () => {
    client.destroy();
    runtime.destroy();
  };
  runtime.once('connect', () => {
    const lines = [
      `POST ${pathname}${search} HTTP/1.1`,
      `Host: ${hostname}:${port}`,
      'Connection: Upgrade',
      'Upgrade: SPDY/3.1',
    ];
    for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
      const name = request.rawHeaders[i] ?? '';
      if (PASSED.includes(name.toLowerCase())) lines.push(`${name}: ${request.rawHeaders[i + 1]}`);
    }
    lines.push('Content-Length: 0', '', '');
    runtime.write(lines.join('\r\n'));
    if (head.length > 0) runtime.write(head);
    client.pipe(runtime);
    runtime.pipe(client);
  });
  runtime.once('error', finish);
  client.once('error', finish);
  runtime.once('close', finish);
  client.once('close', finish);
}
