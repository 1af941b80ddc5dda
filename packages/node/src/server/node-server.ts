import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import {
  type Clock,
  hasCode,
  type Logger,
  METRICS_CONTENT_TYPE,
  type MetricsRegistry,
  messageOf,
  type Running,
} from '@ballast/base';
import { WebSocketServer } from 'ws';
import type { CriClient } from '../cri/client.ts';
import { readLog } from '../log/read-log.ts';
import { upgradeToSpdy } from '../streaming/spdy-connection.ts';
import { passThroughSpdy } from '../streaming/spdy-passthrough.ts';
import { bridgeCommand, COMMAND_PROTOCOLS, RUNTIME_PROTOCOL } from '../streaming/web-socket-command.ts';
import { bridgeTunnel, PORT_FORWARD_PROTOCOL, TUNNEL_PROTOCOL } from '../streaming/web-socket-tunnel.ts';
import { containerLog, type Lookup, readySandbox, runningContainer } from './container-lookup.ts';
import { HttpFailure } from './http-failure.ts';
import { exposeUsage, readUsage, summarize } from './resource-stats.ts';

export interface NodeServerOptions extends Lookup {
  readonly cri: CriClient;
  readonly nodeName: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly tls: { readonly certPem: string; readonly keyPem: string; readonly clientCaPem: string };
  readonly metrics: MetricsRegistry;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Who may use the node's API: the API server, and administrators. */
const API_SERVER_NAME = 'kube-apiserver-kubelet-client';
const ADMINISTRATORS = 'system:masters';

const listOf = (value: string | string[] | undefined): string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

/** Throws HttpFailure unless the client may use everything. Health checks need no certificate. */
function authorize(socket: TLSSocket): void {
  if (!socket.authorized) throw new HttpFailure(401, 'Unauthorized');
  const { subject } = socket.getPeerCertificate();
  const names: Readonly<Record<string, string | string[] | undefined>> = { ...subject };
  if (listOf(names.O).includes(ADMINISTRATORS) || listOf(names.CN).includes(API_SERVER_NAME)) return;
  throw new HttpFailure(403, `Forbidden (user=${listOf(names.CN)[0] ?? ''})`);
}

type Handler = (call: {
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}) => Promise<void>;

const truthy = (query: URLSearchParams, ...names: string[]) =>
  names.some((name) => ['1', 'true'].includes(query.get(name) ?? ''));

function numberOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new HttpFailure(422, `${name} must be a number that is not negative`);
  return value;
}

/** Serves the node's API: logs, exec, attach, port forwarding, figures. */
export async function startNodeServer(options: NodeServerOptions): Promise<Running & { readonly port: number }> {
  const { cri, logger, podSet, clock } = options;
  const webSockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: (offered) => [...COMMAND_PROTOCOLS, TUNNEL_PROTOCOL].find((name) => offered.has(name)) ?? false,
  });

  const sendText = (response: ServerResponse, text: string, type = 'text/plain; charset=utf-8') => {
    response.writeHead(200, { 'content-type': type }).end(text);
  };
  const logs: Handler = async ({ parts, query, request, response }) => {
    const [, namespace = '', pod = '', container = ''] = parts;
    const { path, isRunning } = await containerLog(options, {
      namespace,
      pod,
      container,
      previous: truthy(query, 'previous'),
    });
    const sinceSeconds = numberOf(query, 'sinceSeconds');
    const sinceTime = query.get('sinceTime');
    const sinceMs =
      sinceSeconds === undefined
        ? sinceTime
          ? Date.parse(sinceTime)
          : undefined
        : clock.nowMs() - sinceSeconds * 1000;
    const stop = new AbortController();
    request.socket.once('close', () => stop.abort());
    const stream = query.get('stream');
    const chunks = readLog({
      path,
      isRunning,
      clock,
      signal: stop.signal,
      follow: truthy(query, 'follow'),
      tailLines: numberOf(query, 'tailLines'),
      limitBytes: numberOf(query, 'limitBytes'),
      timestamps: truthy(query, 'timestamps'),
      sinceMs,
      stream: stream === 'Stdout' || stream === 'Stderr' ? stream : 'All',
    });
    response.writeHead(200, { 'content-type': 'text/plain' });
    response.flushHeaders();
    for await (const chunk of chunks) {
      // A client that has gone never drains; the log then ends.
      if (!response.write(chunk)) await once(response, 'drain', { signal: stop.signal }).catch(() => {});
    }
    response.end();
  };
  const runCommand: Handler = async ({ parts, query, response }) => {
    const [, namespace = '', pod = '', container = ''] = parts;
    const { id } = await runningContainer(options, { namespace, pod, container });
    const cmd = query.getAll('cmd').flatMap((text) => text.split(' '));
    const result = await cri.execSync({ containerId: id, cmd, timeout: 60 });
    sendText(response, Buffer.concat([result.stdout, result.stderr]).toString('utf8'));
  };
  const handlers: Readonly<Record<string, Handler>> = {
    healthz: async ({ response }) => sendText(response, 'ok'),
    metrics: async ({ parts, response }) => {
      const usage = parts[1] === 'resource' || parts[1] === 'cadvisor';
      sendText(response, usage ? exposeUsage(await readUsage(cri)) : options.metrics.expose(), METRICS_CONTENT_TYPE);
    },
    pods: async ({ response }) => {
      const items = Array.from(podSet.list(), (worker) => worker.pod);
      sendText(
        response,
        JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items }),
        'application/json',
      );
    },
    stats: async ({ response }) => {
      const summary = summarize(options.nodeName, await readUsage(cri), clock.nowMs());
      sendText(response, JSON.stringify(summary), 'application/json');
    },
    containerLogs: logs,
    run: runCommand,
  };

  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    let path = '';
    try {
      const { parts, query } = parseTarget(request);
      path = parts.join('/');
      if (parts[0] !== 'healthz') authorize(request.socket as TLSSocket);
      const handler = handlers[parts[0] ?? ''];
      if (!handler) throw new HttpFailure(404, `404 page not found: ${path}`);
      await handler({ parts, query, request, response });
    } catch (error) {
      const { statusCode, message } = failureOf(error);
      if (statusCode >= 500) logger.warn('request failed', { path, error: message });
      if (response.headersSent) response.destroy();
      else response.writeHead(statusCode, { 'content-type': 'text/plain; charset=utf-8' }).end(`${message}\n`);
    }
  };

  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    try {
      authorize(request.socket as TLSSocket);
      const { parts, query } = parseTarget(request);
      const [verb, namespace = '', pod = '', container = ''] = parts;
      const kind = request.headers.upgrade?.toLowerCase();
      if (kind !== 'websocket' && kind !== 'spdy/3.1') throw new HttpFailure(400, `cannot upgrade to ${kind}`);
      const wanted = {
        stdin: truthy(query, 'input', 'stdin'),
        stdout: truthy(query, 'output', 'stdout'),
        stderr: truthy(query, 'error', 'stderr'),
        tty: truthy(query, 'tty'),
      };
      // With a terminal there is one output for both.
      const streams = { ...wanted, stderr: wanted.stderr && !wanted.tty };
      let url: string;
      if (verb === 'exec') {
        const { id } = await runningContainer(options, { namespace, pod, container });
        url = (await cri.exec({ containerId: id, cmd: query.getAll('command'), ...streams })).url;
      } else if (verb === 'attach') {
        const { id } = await runningContainer(options, { namespace, pod, container });
        url = (await cri.attach({ containerId: id, ...streams })).url;
      } else if (verb === 'portForward') {
        const podSandboxId = await readySandbox(options, { namespace, pod });
        url = (await cri.portForward({ podSandboxId, port: [] })).url;
      } else throw new HttpFailure(404, `404 page not found: ${parts.join('/')}`);
      if (kind === 'spdy/3.1') {
        passThroughSpdy(request, socket, head, url);
        return;
      }
      const isTunnel = verb === 'portForward';
      requireProtocol(request, isTunnel ? [TUNNEL_PROTOCOL] : COMMAND_PROTOCOLS);
      const runtime = await upgradeToSpdy(url, [isTunnel ? PORT_FORWARD_PROTOCOL : RUNTIME_PROTOCOL]);
      webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        if (isTunnel) bridgeTunnel(webSocket, runtime.socket);
        else bridgeCommand(webSocket, runtime.socket, streams);
      });
    } catch (error) {
      const { statusCode, message } = failureOf(error);
      const body = `${message}\n`;
      const status = statusCode === 404 ? 'Not Found' : statusCode < 500 ? 'Refused' : 'Internal Server Error';
      socket.end(
        `HTTP/1.1 ${statusCode} ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      );
    }
  };

  const server = createServer({
    cert: options.tls.certPem,
    key: options.tls.keyPem,
    ca: options.tls.clientCaPem,
    requestCert: true,
    // Clients without a certificate get an answer that says so, rather than a broken connection.
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
  });
  server.on('request', (request, response) => void answer(request, response));
  server.on('upgrade', (request, socket, head) => void upgrade(request, socket, head));
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.listen.port, options.listen.host, () => resolve());
  });
  const closed = new Promise<void>((resolve) => server.once('close', () => resolve()));
  const address = server.address();
  return {
    done: closed,
    port: typeof address === 'object' && address ? address.port : options.listen.port,
    async [Symbol.asyncDispose]() {
      for (const client of webSockets.clients) client.terminate();
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Throws HttpFailure for a target that is no URL, which anybody may send. */
function parseTarget(request: IncomingMessage): { parts: string[]; query: URLSearchParams } {
  try {
    const url = new URL(request.url ?? '/', 'https://node');
    const parts = url.pathname.split('/').filter((part) => part !== '');
    return { parts: parts.map(decodeURIComponent), query: url.searchParams };
  } catch {
    throw new HttpFailure(400, 'malformed request target');
  }
}

function requireProtocol(request: IncomingMessage, supported: readonly string[]): void {
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  if (!offered.some((name) => supported.includes(name))) {
    throw new HttpFailure(400, `none of the offered protocols is supported (have ${supported.join(', ')})`);
  }
}

function failureOf(error: unknown): { statusCode: number; message: string } {
  if (error instanceof HttpFailure) return { statusCode: error.statusCode, message: error.message };
  if (hasCode(error, 'cri-not-found')) return { statusCode: 404, message: messageOf(error) };
  return { statusCode: 500, message: messageOf(error) };
}
