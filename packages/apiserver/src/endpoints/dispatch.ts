import { METRICS_CONTENT_TYPE } from '@ballast/base';
import type { Exchange } from '../http/exchange.ts';
import { parsePath } from '../http/request-info.ts';
import { send, sendJson } from '../http/respond.ts';
import { requireAccess } from '../identity/authorize.ts';
import type { Kernel } from '../kernel.ts';
import { noSuchPath } from '../object/failures.ts';
import type { RequestMetrics } from '../request-metrics.ts';
import { DiscoveryEndpoint } from './discovery-endpoint.ts';
import { serveHealth } from './health-endpoint.ts';
import { OpenApiEndpoint } from './openapi-endpoint.ts';
import { serveResource } from './resource-endpoint.ts';
import { SERVER_VERSION, serveVersion } from './version-endpoint.ts';

type Route = (exchange: Exchange) => Promise<void>;

/** Finds who answers a request that is authenticated. Authorisation happens here for paths, in the resource endpoint for resources. */
export function createDispatcher(kernel: Kernel, metrics: RequestMetrics, serverAddress: string): Route {
  const discovery = new DiscoveryEndpoint(kernel.registry, serverAddress);
  const openApi = new OpenApiEndpoint(kernel.registry, SERVER_VERSION);
  const paths: readonly (readonly [pattern: RegExp, route: Route])[] = [
    [/^\/(healthz|livez|readyz)(\/[^/]*)?$/, (exchange) => serveHealth(kernel, exchange)],
    [/^\/version\/?$/, serveVersion],
    [
      /^\/metrics$/,
      (exchange) =>
        send(exchange, { code: 200, body: Buffer.from(metrics.expose()), contentType: METRICS_CONTENT_TYPE }),
    ],
    [/^\/\.well-known\/openid-configuration$/, (exchange) => serveIssuer(kernel, exchange)],
    [/^\/openid\/v1\/jwks$/, (exchange) => sendJson(exchange, 200, kernel.tokens.keySet)],
    [/^\/openapi\/v2$/, (exchange) => openApi.serveV2(exchange)],
    [/^\/openapi\/v3(\/.*)?$/, (exchange) => openApi.serve(exchange)],
    [/^\/apis?(\/[^/]*){0,2}\/?$/, (exchange) => discovery.serve(exchange)],
    [
      /^\/$/,
      (exchange) =>
        sendJson(exchange, 200, {
          paths: [
            '/api',
            '/apis',
            '/healthz',
            '/livez',
            '/metrics',
            '/openapi/v2',
            '/openapi/v3',
            '/readyz',
            '/version',
          ],
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

/** OIDC discovery: how others find the keys of ServiceAccount tokens. */
function serveIssuer({ tokens }: Kernel, exchange: Exchange): Promise<void> {
  return sendJson(exchange, 200, {
    issuer: tokens.issuer,
    jwks_uri: `${tokens.issuer}/openid/v1/jwks`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  });
}
