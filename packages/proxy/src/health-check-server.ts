import { createServer, type Server } from 'node:http';
import { type Logger, messageOf } from '@ballast/base';
import type { HealthCheck } from './service-tracker.ts';

/** What a health check is answered with. */
export interface HealthAnswer {
  readonly status: 200 | 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The answer of kube-proxy's service health server: 200 while this node has an endpoint and the proxy works. */
export function answerHealthCheck(check: HealthCheck, isProxyHealthy: boolean): HealthAnswer {
  const { namespace, name, localEndpoints } = check;
  return {
    status: localEndpoints > 0 && isProxyHealthy ? 200 : 503,
    headers: {
      'Content-Type': 'application/json',
      'X-Content-Type-Options': 'nosniff',
      'X-Load-Balancing-Endpoint-Weight': String(localEndpoints),
    },
    body: JSON.stringify(
      { service: { namespace, name }, localEndpoints, serviceProxyHealthy: isProxyHealthy },
      null,
      2,
    ),
  };
}

export interface HealthCheckServersOptions {
  readonly logger: Logger;
  readonly isProxyHealthy: () => boolean;
  /** Called when a port cannot be opened. */
  readonly onFailure?: (check: HealthCheck, error: Error) => void;
}

/** One HTTP server for each health check port in use, on all addresses. */
export class HealthCheckServers implements AsyncDisposable {
  readonly #options: HealthCheckServersOptions;
  readonly #open = new Map<number, { readonly server: Server; check: HealthCheck }>();

  constructor(options: HealthCheckServersOptions) {
    this.#options = options;
  }

  /** Opens, changes and closes servers so that exactly these checks are answered. A port that failed is tried again next time. */
  update(checks: Iterable<HealthCheck>): void {
    const wanted = new Map<number, HealthCheck>();
    for (const check of checks) wanted.set(check.port, check);
    for (const [port, { server }] of this.#open) {
      if (wanted.has(port)) continue;
      this.#open.delete(port);
      server.close();
      server.closeAllConnections();
    }
    for (const [port, check] of wanted) {
      const open = this.#open.get(port);
      if (open) open.check = check;
      else this.#listen(port, check);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.update([]);
  }

  #listen(port: number, check: HealthCheck): void {
    const { logger, isProxyHealthy, onFailure } = this.#options;
    const server = createServer((_request, response) => {
      const answer = answerHealthCheck(this.#open.get(port)?.check ?? check, isProxyHealthy());
      response.writeHead(answer.status, { ...answer.headers }).end(answer.body);
    });
    // A check must not hold a pod's connection table: balancers ask every few seconds, each time anew.
    server.keepAliveTimeout = 1000;
    server.on('error', (error) => {
      this.#open.delete(port);
      logger.error('cannot answer the health check of a Service', {
        port,
        service: `${check.namespace}/${check.name}`,
        error: messageOf(error),
      });
      onFailure?.(check, error);
    });
    server.listen(port);
    this.#open.set(port, { server, check });
  }
}
