import type { IncomingMessage } from 'node:http';
import { createSecureServer, type Http2Session } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { BallastError, type Clock, errnoOf, type Logger, messageOf, type Running } from '@ballast/base';
import type { Store } from '@ballast/store';
import { type NodePortRange, ServicePools } from './allocation/service-pools.ts';
import { startCompaction } from './bootstrap/compaction.ts';
import { startEventExpiry } from './bootstrap/event-expiry.ts';
import { ensureKubernetesService, startKubernetesService } from './bootstrap/kubernetes-service.ts';
import { ensureSystemNamespaces } from './bootstrap/system-namespaces.ts';
import { WatchCache } from './cache/watch-cache.ts';
import { startDefinitionCleanup } from './custom-resources/cleanup.ts';
import { registerCustomResources } from './custom-resources/registration.ts';
import { createDispatcher } from './endpoints/dispatch.ts';
import { serveUpgrade } from './endpoints/upgrade-endpoint.ts';
import { type Exchange, headerOf, tlsSocketOf } from './http/exchange.ts';
import { sendError } from './http/respond.ts';
import { authenticate } from './identity/authenticate.ts';
import { ANONYMOUS } from './identity/identity.ts';
import { impersonated } from './identity/impersonate.ts';
import { ServiceAccountTokens } from './identity/service-account-tokens.ts';
import type { Kernel } from './kernel.ts';
import { KubeletConnection, type KubeletCredentials } from './kubelet/kubelet-connection.ts';
import { RequestMetrics } from './request-metrics.ts';
import { BUILT_IN_RESOURCES } from './resources/index.ts';
import { ResourceRegistry } from './resources/registry.ts';

export interface ApiServerOptions {
  /** Port 0 picks a free one. */
  readonly listen: { readonly host: string; readonly port: number };
  /** The address under which nodes and pods reach this server; the endpoint of default/kubernetes. */
  readonly advertiseAddress: string;
  readonly tls: { readonly certPem: string; readonly keyPem: string };
  /** Client certificates that this CA signed are identities. */
  readonly clientCaPem: string;
  /** EC P-256 private key (PEM) that signs ServiceAccount tokens. */
  readonly serviceAccountKeyPem: string;
  /** For example '10.43.0.0/16'. */
  readonly serviceCidr: string;
  /** Default 30000-32767. */
  readonly nodePortRange?: NodePortRange;
  /** How the server proves itself to node agents, and the CA that signed theirs. */
  readonly kubeletClient: KubeletCredentials;
  readonly store: Store;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface RunningApiServer extends Running {
  readonly address: { readonly host: string; readonly port: number };
}

const DEFAULT_NODE_PORTS: NodePortRange = [30000, 32767];
/** How long a connection may stay without a request. */
const IDLE_CONNECTION_MS = 180_000;
/** `iss` of tokens: stable over moves of the server, and what pods see in discovery. */
const ISSUER = 'https://kubernetes.default.svc.cluster.local';

/** Serves the Kubernetes API over `store` until disposed. Throws BallastError 'cannot-listen' when the port is not to be had. */
export async function startApiServer(options: ApiServerOptions): Promise<RunningApiServer> {
  const { store, clock, logger } = options;
  const cache = await WatchCache.load(store);
  const stop = new AbortController();
  const pools = new ServicePools({
    serviceCidr: options.serviceCidr,
    nodePortRange: options.nodePortRange ?? DEFAULT_NODE_PORTS,
  });
  pools.load(cache);
  const kernel: Kernel = {
    store,
    cache,
    registry: new ResourceRegistry(BUILT_IN_RESOURCES),
    tokens: await ServiceAccountTokens.create({ keyPem: options.serviceAccountKeyPem, issuer: ISSUER, cache, clock }),
    pools,
    kubelets: new KubeletConnection(options.kubeletClient),
    clock,
    logger,
    stopping: stop.signal,
  };
  await ensureSystemNamespaces(kernel);
  const custom = registerCustomResources(kernel);
  const http = await listen(kernel, options);
  const advertised = { host: options.advertiseAddress, port: http.port };
  await ensureKubernetesService(kernel, advertised);
  const background = [
    startCompaction(kernel),
    startDefinitionCleanup(kernel),
    startEventExpiry(kernel),
    startKubernetesService(kernel, advertised),
  ];
  logger.info('api server ready', { host: options.listen.host, port: http.port });
  const done = Promise.withResolvers<void>();
  return {
    done: done.promise,
    address: { host: options.listen.host, port: http.port },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await http.close();
      await Promise.all(background.map((part) => part[Symbol.asyncDispose]()));
      kernel.kubelets[Symbol.dispose]();
      custom[Symbol.dispose]();
      cache[Symbol.dispose]();
      done.resolve();
    },
  };
}

async function listen(
  kernel: Kernel,
  options: ApiServerOptions,
): Promise<{ port: number; close: () => Promise<void> }> {
  const { host, port } = options.listen;
  const server = createSecureServer({
    allowHTTP1: true,
    cert: options.tls.certPem,
    key: options.tls.keyPem,
    ca: options.clientCaPem,
    requestCert: true,
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    settings: { maxConcurrentStreams: 1000, initialWindowSize: 1 << 20 },
  });
  // HTTP/1.1 connections of clients that pool them; Node's own five seconds end them just as the next request comes.
  Object.assign(server, { keepAliveTimeout: IDLE_CONNECTION_MS });
  const metrics = new RequestMetrics(kernel);
  const dispatch = createDispatcher(kernel, metrics, `${options.advertiseAddress}:${port}`);
  const sockets = new Set<Socket>();
  const sessions = new Set<Http2Session>();
  server.on('secureConnection', (socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  server.on('sessionError', (error) => kernel.logger.debug('http2 session failed', { error }));
  server.on('tlsClientError', (error) => kernel.logger.debug('tls handshake failed', { error }));
  server.on('request', (request, response) => {
    const base = { request, response, ...parseTarget(request), warnings: [] };
    void metrics.observe(base, () => answer(kernel, dispatch, base));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    void serveUpgrade(kernel, { request, ...parseTarget(request), warnings: [] }, { request, socket, head });
  });
  // A watch has no end; what must end has its own time limit.
  server.setTimeout(0);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const why = errnoOf(error) === 'EADDRINUSE' ? 'the port is in use' : messageOf(error);
      reject(
        new BallastError('cannot-listen', `the API server cannot listen on ${host}:${port}: ${why}`, { cause: error }),
      );
    });
    server.listen({ host, port }, resolve);
  });
  server.on('error', (error) => kernel.logger.warn('api server socket failed', { error }));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const session of sessions) session.close();
        // Answers that are on their way get a moment; idle connections would hold the port.
        kernel.clock.timer(100, () => {
          for (const socket of sockets) socket.destroy();
        });
      }),
  };
}

/** The outermost layer: identity, dispatch, and every error as a Status. */
async function answer(
  kernel: Kernel,
  dispatch: (exchange: Exchange) => Promise<void>,
  base: Omit<Exchange, 'identity'>,
): Promise<void> {
  const { request, response } = base;
  let exchange: Exchange = { ...base, identity: ANONYMOUS };
  response.on('error', (error: unknown) => kernel.logger.debug('answer not delivered', { error }));
  try {
    const credentials = { socket: tlsSocketOf(request), authorization: headerOf(request, 'authorization') };
    exchange = { ...base, identity: impersonated(await authenticate(credentials, kernel.tokens), request.headers) };
    await dispatch(exchange);
  } catch (error) {
    try {
      if (response.headersSent) response.destroy();
      else await sendError(exchange, error, kernel.logger);
    } catch (second) {
      kernel.logger.debug('answer not delivered', { error: second });
    }
  }
}

function parseTarget(request: Pick<IncomingMessage, 'url' | 'method'>): Pick<Exchange, 'method' | 'path' | 'query'> {
  const target = request.url ?? '/';
  const mark = target.indexOf('?');
  return {
    method: request.method ?? 'GET',
    path: mark < 0 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)),
  };
}
