import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Identity } from '../identity/identity.ts';

export type IncomingRequest = IncomingMessage | Http2ServerRequest;
export type OutgoingResponse = ServerResponse | Http2ServerResponse;

/** One request and its answer, over HTTP/1.1 or HTTP/2 alike. */
export interface Exchange {
  readonly request: IncomingRequest;
  readonly response: OutgoingResponse;
  readonly method: string;
  /** Decoded per segment by the router, not here. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly identity: Identity;
  /** Texts of Warning headers (code 299), shown by kubectl. */
  readonly warnings: string[];
}

export function headerOf(request: IncomingRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

/** The TLS socket below a request: of its own under HTTP/1.1, shared by all streams of the session under HTTP/2. */
export function tlsSocketOf(request: IncomingRequest): TLSSocket {
  const session = 'stream' in request ? request.stream.session : undefined;
  return (session?.socket ?? request.socket) as TLSSocket;
}

/** A flag of the query: present and not 'false' or '0'. */
export function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value !== 'false' && value !== '0';
}

/** Writes a part of the answer. Both protocols take the same call; only their TypeScript overloads cannot be united. */
export function writeChunk(response: OutgoingResponse, bytes: Uint8Array): boolean {
  return (response as ServerResponse).write(bytes);
}
