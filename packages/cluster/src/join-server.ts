import { X509Certificate } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { BallastError, errnoOf, type Logger, messageOf } from '@ballast/base';
import type { KeyPair } from './authority.ts';
import {
  AUTHORITIES_PATH,
  JOIN_PATH,
  type JoinAnswer,
  joinRequest,
  MAX_JOIN_BODY_BYTES,
  PING_PATH,
} from './join-protocol.ts';
import { secretEquals } from './join-token.ts';
import type { NodePasswords } from './node-passwords.ts';
import { type ClusterPki, signNodeKeys } from './server-pki.ts';

export interface JoinServerOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly serving: KeyPair;
  readonly pki: Pick<ClusterPki, 'serverAuthority' | 'clientAuthority' | 'secret'>;
  readonly passwords: NodePasswords;
  readonly api: JoinAnswer['api'];
  readonly cluster: JoinAnswer['cluster'];
  readonly logger: Logger;
}

export interface JoinServer extends AsyncDisposable {
  readonly port: number;
}

/** Raised inside the endpoint; becomes the answer. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * The endpoint that machines join at. Anyone may fetch the authority's certificate (the token holds its hash); whoever knows the token's
 * secret gets certificates for a node name that nobody else holds. Asking again with the same password is allowed, at any time.
 */
export async function startJoinServer(options: JoinServerOptions): Promise<JoinServer> {
  const { listen, serving, logger } = options;
  const server = createServer(
    { cert: serving.certPem, key: serving.keyPem, minVersion: 'TLSv1.3' },
    (request, response) => {
      answer(options, request)
        .then((body) => send(response, 200, body))
        .catch((error: unknown) => {
          if (!(error instanceof Refusal)) logger.error('join endpoint failed', { error });
          const status = error instanceof Refusal ? error.status : 500;
          send(response, status, {
            message: error instanceof Refusal ? error.message : 'internal error, see the server log',
          });
        });
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      const busy = errnoOf(error) === 'EADDRINUSE';
      const what = busy
        ? `port ${listen.port} is in use by another program; free it, or set supervisor-port`
        : `cannot listen on ${listen.host}:${listen.port}: ${messageOf(error)}`;
      reject(new BallastError('port-busy', `join endpoint: ${what}`, { cause: error }));
    });
    server.listen(listen.port, listen.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(options: JoinServerOptions, request: IncomingMessage): Promise<string | object> {
  const { pki, logger } = options;
  const route = `${request.method} ${request.url}`;
  if (route === `GET ${AUTHORITIES_PATH}`) return pki.serverAuthority.certPem;
  if (route === `GET ${PING_PATH}`) return 'pong\n';
  if (route !== `POST ${JOIN_PATH}`) throw new Refusal(404, `there is no ${route} here`);
  const secret = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  if (!secretEquals(secret, pki.secret)) {
    logger.warn('refused a join with a wrong token', { from: request.socket.remoteAddress });
    throw new Refusal(401, 'the token is not the one of this cluster');
  }
  const asked = parseRequest(await readBody(request));
  const { nodeName, nodeIp } = asked;
  refuseNamesOfServer(options.serving, { nodeName, nodeIp });
  if (!(await options.passwords.claim(nodeName, asked.nodePassword))) {
    throw new Refusal(
      403,
      `another machine is called ${nodeName} already; give this one its own node-name, or delete the Node first`,
    );
  }
  let certificates: JoinAnswer['certificates'];
  try {
    certificates = signNodeKeys(pki, { nodeName, nodeIp }, asked.keys);
  } catch (error) {
    throw new Refusal(400, `keys cannot be used: ${messageOf(error)}`);
  }
  logger.info('machine joined', { node: nodeName, address: nodeIp });
  return {
    certificates,
    serverCaPem: pki.serverAuthority.certPem,
    clientCaPem: pki.clientAuthority.certPem,
    api: options.api,
    cluster: options.cluster,
  } satisfies JoinAnswer;
}

/** A machine with a serving certificate for the server's own names could pass for it towards every other machine. */
function refuseNamesOfServer(serving: KeyPair, { nodeName, nodeIp }: { nodeName: string; nodeIp: string }): void {
  const certificate = new X509Certificate(serving.certPem);
  const taken = certificate.checkIP(nodeIp) ?? certificate.checkHost(nodeName);
  if (taken !== undefined) {
    throw new Refusal(403, `${taken} is the server itself; give this machine its own node-name and node-ip`);
  }
}

function parseRequest(text: string) {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refusal(400, 'the body is not JSON');
  }
  const result = joinRequest.safeParse(value);
  if (result.success) return result.data;
  throw new Refusal(400, result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '));
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_JOIN_BODY_BYTES) throw new Refusal(413, `a join request has at most ${MAX_JOIN_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, status: number, body: string | object): void {
  const isText = typeof body === 'string';
  response.writeHead(status, { 'content-type': isText ? 'text/plain' : 'application/json', connection: 'close' });
  response.end(isText ? body : JSON.stringify(body));
}
