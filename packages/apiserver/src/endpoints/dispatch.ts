import type { Exchange } from '../http/exchange.ts';
import { parsePath } from '../http/request-info.ts';
import { sendJson } from '../http/respond.ts';
import { requireAccess } from '../identity/authorize.ts';
import type { Kernel } from '../kernel.ts';
import { noSuchPath } from '../object/failures.ts';
import { DiscoveryEndpoint } from './discovery-endpoint.ts';
import { serveHealth } from './health-endpoint.ts';
import { serveResource } from './resource-endpoint.ts';
import { serveVersion } from './version-endpoint.ts';

type Route = (exchange: Exchange) => Promise<void>;

/** Finds who answers a request that is authenticated. Authorisation happens here for paths, in the resource endpoint for resources. */
export function createDispatcher(kernel: Kernel, serverAddress: string): Route {
  const discovery = new DiscoveryEndpoint(kernel.registry, serverAddress);
  const paths: readonly (readonly [pattern: RegExp, route: Route])[] = [
    [/^\/(healthz|livez|readyz)(\/[^/]*)?$/, (exchange) => serveHealth(kernel, exchange)],
    [/^\/version\/?$/, serveVersion],
    [/^\/apis?(\/[^/]*){0,2}\/?$/, (exchange) => discovery.serve(exchange)],
    [
      /^\/$/,
      (exchange) =>
        sendJson(exchange, 200, {
          paths: ['/api', '/apis', '/healthz', '/livez', '/openapi/v3', '/readyz', '/version'],
        }),
    ],
  ];
  return async (exchange) => {
    const path = parsePath(exchange.path);
    if (path.kind === 'resource') return serveResource(kernel, exchange, path);
    requireAccess(exchange.identity, { kind: 'path', verb: exchange.method.toLowerCase(), path: exchange.path });
    const route = paths.find(([pattern]) => pattern.test(exchange.path))?.[1];
    if (!route) throw noSuchPath();
    await route(exchange);
  };
}
