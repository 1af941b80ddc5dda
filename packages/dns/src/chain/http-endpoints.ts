import { createServer, type Server } from 'node:http';
import { type Clock, type Logger, messageOf } from '@ballast/base';
import type { HostPort } from '../syntax/value.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface MountedRoute {
  /** Where it really listens; undefined while it cannot. */
  address(): HostPort | undefined;
  unmount(): Promise<void>;
}

interface Route {
  readonly path: string;
  readonly answer: () => HttpAnswer;
}

/** How long to wait before trying again to listen on a busy address. */
const RETRY_MS = 5000;

/**
 * The small HTTP listeners of `health`, `ready` and `prometheus`. Plugins with the same address share one; on reload the new configuration
 * mounts its routes before the old one unmounts, so the listener stays open and the newest route answers. An address that cannot be
 * listened on is logged and tried again: DNS must not stop for it.
 */
export class HttpEndpoints {
  readonly #listeners = new Map<string, Listener>();
  readonly #logger: Logger;
  readonly #clock: Clock;

  constructor(options: { logger: Logger; clock: Clock }) {
    this.#logger = options.logger;
    this.#clock = options.clock;
  }

  async mount(at: HostPort, path: string, answer: () => HttpAnswer): Promise<MountedRoute> {
    const key = `${at.host}:${at.port}`;
    let listener = this.#listeners.get(key);
    if (!listener) {
      listener = new Listener({ at, logger: this.#logger, clock: this.#clock });
      this.#listeners.set(key, listener);
    }
    const held = listener;
    const route: Route = { path, answer };
    held.routes.push(route);
    await held.listening;
    return {
      address: () => held.address(),
      unmount: async () => {
        const index = held.routes.indexOf(route);
        if (index >= 0) held.routes.splice(index, 1);
        if (held.routes.length > 0) return;
        if (this.#listeners.get(key) === held) this.#listeners.delete(key);
        await held.close();
      },
    };
  }
}

class Listener {
  readonly routes: Route[] = [];
  /** Resolves after the first attempt, whatever came of it. */
  readonly listening: Promise<void>;
  readonly #at: HostPort;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #server: Server;
  #retry: Disposable | undefined;
  #closed = false;

  constructor(options: { at: HostPort; logger: Logger; clock: Clock }) {
    this.#at = options.at;
    this.#logger = options.logger;
    this.#clock = options.clock;
    this.#server = createServer((request, response) => {
      const path = (request.url ?? '').split('?')[0];
      const route = this.routes.findLast((candidate) => candidate.path === path);
      const answer = route?.answer() ?? { status: 404, contentType: 'text/plain; charset=utf-8', body: 'not found\n' };
      response.writeHead(answer.status, { 'content-type': answer.contentType }).end(answer.body);
    });
    this.listening = this.#listen();
  }

  address(): HostPort | undefined {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? { host: address.address, port: address.port } : undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#retry?.[Symbol.dispose]();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #listen(): Promise<void> {
    return new Promise((resolve) => {
      const settle = () => {
        this.#server.removeListener('error', onError);
        this.#server.removeListener('listening', settle);
        resolve();
      };
      const onError = (error: Error) => {
        const { host, port } = this.#at;
        this.#logger.error('cannot listen for HTTP; DNS is served all the same, and this is tried again', {
          address: `${host || '*'}:${port}`,
          error: messageOf(error),
          hint: 'give the plugin another address in the Corefile, or stop what uses this one',
        });
        this.#retry = this.#clock.timer(RETRY_MS, () => {
          if (!this.#closed) void this.#listen();
        });
        settle();
      };
      this.#server.on('error', onError);
      this.#server.on('listening', settle);
      this.#server.listen({ port: this.#at.port, ...(this.#at.host === '' ? {} : { host: this.#at.host }) });
    });
  }
}
