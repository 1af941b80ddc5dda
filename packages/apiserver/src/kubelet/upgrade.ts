import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Logger } from '@ballast/base';
import { messageOf } from '@ballast/base';
import { statusOf } from '../http/respond.ts';
import { failure } from '../object/failures.ts';
import { endToEndHeaders } from './forward.ts';

/**
 * Passes a request that upgrades (WebSocket, SPDY/3.1) on, and then bytes in both directions: what they mean is between client and node.
 */
export function forwardUpgrade(
  request: IncomingMessage,
  client: Duplex,
  head: Buffer,
  target: RequestOptions & { tls: boolean },
  logger: Logger,
): void {
  const { tls, ...options } = target;
  const send = tls ? httpsRequest : httpRequest;
  const outgoing = send({
    method: request.method,
    ...options,
    // A connection of its own: it ends with the stream.
    agent: false,
    headers: { ...endToEndHeaders(request.headers), connection: 'Upgrade', upgrade: request.headers.upgrade ?? '' },
  });
  outgoing.on('error', (error) => {
    refuseUpgrade(client, failure('ServiceUnavailable', `error dialing backend: ${messageOf(error)}`), logger);
  });
  outgoing.on('response', (answer) => {
    writeHeadTo(client, answer);
    answer.pipe(client);
  });
  outgoing.on('upgrade', (answer, node, nodeHead) => {
    writeHeadTo(client, answer);
    if (nodeHead.length > 0) client.write(nodeHead);
    if (head.length > 0) node.write(head);
    join(client, node);
  });
  client.on('close', () => outgoing.destroy());
  client.on('error', () => outgoing.destroy());
  outgoing.end();
}

/** Both ways, with back-pressure; each side's end ends the other's writing, an error ends both. */
function join(client: Duplex, node: Duplex): void {
  client.pipe(node);
  node.pipe(client);
  const end = () => {
    client.destroy();
    node.destroy();
  };
  client.on('error', end);
  node.on('error', end);
  client.on('close', end);
  node.on('close', () => client.end());
}

function writeHeadTo(client: Duplex, answer: IncomingMessage): void {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`];
  for (let i = 0; i < answer.rawHeaders.length; i += 2)
    lines.push(`${answer.rawHeaders[i]}: ${answer.rawHeaders[i + 1]}`);
  client.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
}

/** Answers an upgrade request with a Status instead. */
export function refuseUpgrade(client: Duplex, error: unknown, logger: Logger): void {
  if (client.destroyed || !client.writable) return;
  const status = statusOf(error, logger);
  const body = JSON.stringify(status);
  client.end(
    `HTTP/1.1 ${status.code} ${status.reason ?? 'Error'}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
