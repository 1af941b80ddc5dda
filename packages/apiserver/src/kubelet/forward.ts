import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { messageOf } from '@ballast/base';
import type { Exchange } from '../http/exchange.ts';
import { writeChunk } from '../http/exchange.ts';
import { failure } from '../object/failures.ts';

/** Headers that belong to one connection and are not passed on (RFC 9110 section 7.6.1), and the client's credentials. */
const NOT_FORWARDED = new Set([
  'authorization',
  'connection',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The headers of a request or answer without those of its connection; HTTP/2's own start with a colon. */
export function endToEndHeaders(headers: IncomingMessage['headers']): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !name.startsWith(':') && !NOT_FORWARDED.has(name)) kept[name] = value;
  }
  return kept;
}

/** More of a backend's words than this is not for people, bytes. */
const LONGEST_REFUSAL = 64 * 1024;

/**
 * Sends the request on and streams the answer back. Resolves when the answer has ended; 503 when nobody answers there. With `refusal`, an
 * answer of 400 and above is not passed on: what `refusal` makes of its status and text is thrown.
 */
export function forward(
  exchange: Exchange,
  target: RequestOptions & { tls: boolean },
  signal: AbortSignal,
  refusal?: (statusCode: number, text: string) => Error,
): Promise<void> {
  const { request, response } = exchange;
  return new Promise((resolve, reject) => {
    // Gone while it was being authenticated: nothing would ever end what is asked for now.
    if (response.destroyed) return resolve();
    const { tls, ...options } = target;
    const send = tls ? httpsRequest : httpRequest;
    const outgoing = send({ method: exchange.method, ...options, headers: endToEndHeaders(request.headers) });
    const abort = () => outgoing.destroy();
    signal.addEventListener('abort', abort, { once: true });
    response.once('close', () => {
      signal.removeEventListener('abort', abort);
      outgoing.destroy();
      resolve();
    });
    outgoing.on('error', (error) => {
      if (response.headersSent || response.destroyed) response.destroy();
      else reject(failure('ServiceUnavailable', `error trying to reach service: ${messageOf(error)}`));
    });
    outgoing.on('response', (answer) => {
      const { statusCode = 502 } = answer;
      if (refusal && statusCode >= 400) {
        readText(answer).then((text) => reject(refusal(statusCode, text)), reject);
        return;
      }
      try {
        response.statusCode = statusCode;
        for (const [name, value] of Object.entries(endToEndHeaders(answer.headers))) response.setHeader(name, value);
      } catch (error) {
        // What HTTP/1.1 lets a backend say and HTTP/2 does not: a status above 599, for example.
        outgoing.destroy();
        reject(
          failure('ServiceUnavailable', `the service gave an answer that cannot be passed on: ${messageOf(error)}`),
        );
        return;
      }
      if ('flushHeaders' in response) response.flushHeaders();
      answer.on('data', (chunk: Buffer) => {
        if (writeChunk(response, chunk)) return;
        answer.pause();
        response.once('drain', () => answer.resume());
      });
      answer.on('error', () => response.destroy());
      answer.on('end', () => response.end());
    });
    request.pipe(outgoing);
  });
}

async function readText(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > LONGEST_REFUSAL) break;
  }
  return Buffer.concat(chunks).subarray(0, LONGEST_REFUSAL).toString().trim();
}
