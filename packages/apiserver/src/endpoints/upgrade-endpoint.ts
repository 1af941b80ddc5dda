import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Exchange } from '../http/exchange.ts';
import { headerOf } from '../http/exchange.ts';
import { parsePath } from '../http/request-info.ts';
import { authenticate } from '../identity/authenticate.ts';
import { impersonated } from '../identity/impersonate.ts';
import type { Kernel } from '../kernel.ts';
import { kubeletTarget } from '../kubelet/target.ts';
import { forwardUpgrade, refuseUpgrade } from '../kubelet/upgrade.ts';
import { noSuchPath } from '../object/failures.ts';
import { nodeTarget, type ProxyTarget, podTarget, serviceTarget } from '../subresources/proxy.ts';
import { type ResourceCall, requireResourceAccess } from './resource-endpoint.ts';

/** Requests that leave HTTP: exec, attach, portforward, and WebSockets through the proxies. The client speaks HTTP/1.1 here. */
export async function serveUpgrade(
  kernel: Kernel,
  base: Omit<Exchange, 'identity' | 'response'>,
  client: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
): Promise<void> {
  const { request, socket, head } = client;
  socket.on('error', (error) => kernel.logger.debug('stream failed', { error }));
  try {
    const credentials = { socket: socket as TLSSocket, authorization: authorizationOf(request) };
    const identity = impersonated(await authenticate(credentials, kernel.tokens), request.headers);
    const path = parsePath(base.path);
    if (path.kind !== 'resource') throw noSuchPath();
    const exchange = { ...base, identity };
    requireResourceAccess(exchange, path);
    const resource = kernel.registry.find(path.group, path.version, path.plural);
    if (!resource) throw noSuchPath();
    // Nothing below writes an HTTP answer: there is only the raw socket.
    const call = { kernel, exchange: exchange as Exchange, resource, path };
    withoutBearerProtocol(request);
    forwardUpgrade(request, socket, head, targetOf(call), kernel.logger);
  } catch (error) {
    refuseUpgrade(socket, error, kernel.logger);
  }
}

function targetOf(call: ResourceCall): ProxyTarget {
  switch (`${call.path.plural}/${call.path.subresource}`) {
    case 'pods/exec':
    case 'pods/attach':
    case 'pods/portforward': {
      const { node, path } = kubeletTarget(call);
      return { tls: true, ...node, path, ...call.kernel.kubelets.tlsOptions } as ProxyTarget;
    }
    case 'nodes/proxy':
      return nodeTarget(call);
    case 'pods/proxy':
      return podTarget(call);
    case 'services/proxy':
      return serviceTarget(call);
    default:
      throw noSuchPath();
  }
}

const BEARER_PROTOCOL = 'base64url.bearer.authorization.k8s.io.';

/** Browsers cannot set headers on WebSockets; their token comes as a subprotocol. */
function authorizationOf(request: IncomingMessage): string | undefined {
  const header = headerOf(request, 'authorization');
  if (header !== undefined) return header;
  const protocols = (headerOf(request, 'sec-websocket-protocol') ?? '').split(',').map((text) => text.trim());
  const encoded = protocols.find((text) => text.startsWith(BEARER_PROTOCOL))?.slice(BEARER_PROTOCOL.length);
  return encoded === undefined ? undefined : `Bearer ${Buffer.from(encoded, 'base64url').toString('utf8')}`;
}

/** The token is between client and server: whoever the request is passed on to must not see it. */
function withoutBearerProtocol({ headers }: IncomingMessage): void {
  const protocols = (headers['sec-websocket-protocol'] ?? '').split(',').map((text) => text.trim());
  const others = protocols.filter((text) => text !== '' && !text.startsWith(BEARER_PROTOCOL));
  if (others.length > 0) headers['sec-websocket-protocol'] = others.join(', ');
  else delete headers['sec-websocket-protocol'];
}
