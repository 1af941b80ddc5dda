import type { Clock, Logger } from '@ballast/base';
import type { DnsMetrics } from '../chain/metrics.ts';
import { failure, type Next } from '../chain/query.ts';
import type { ListenAt, OpenTransport, Transport } from '../transport/transport.ts';
import type { Name } from '../wire/name.ts';
import { createResponder } from './respond.ts';
import type { ReuseLedger } from './reuse-ledger.ts';
import { type RoutedBlock, Router } from './router.ts';

/** One socket address: its transports stay open while configurations come and go. */
interface Listener {
  readonly at: ListenAt;
  readonly transports: readonly Transport[];
  router: Router;
}

export interface OpenAddress {
  readonly host: string;
  readonly port: number;
  readonly protocol: 'udp' | 'tcp';
}

export interface ListenersOptions {
  readonly openers: readonly OpenTransport[];
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: DnsMetrics;
  readonly ledger: ReuseLedger;
}

/** How often port 0 is tried until the system gives one that is free for UDP and TCP. */
const ANY_PORT_ATTEMPTS = 5;

/** The sockets of a server, by the address that the Corefile asks for. */
export class Listeners {
  readonly #options: ListenersOptions;
  #listeners = new Map<string, Listener>();

  constructor(options: ListenersOptions) {
    this.#options = options;
  }

  /** Where the server listens in fact. */
  get addresses(): OpenAddress[] {
    return [...this.#listeners.values()].flatMap(({ transports }) =>
      transports.map(({ protocol, address }) => ({ protocol, ...address })),
    );
  }

  /** Asks the zones of one listener, as of now. */
  askAt({ host, port }: ListenAt): Next {
    return async (query) => {
      const listener = this.#listeners.get(`${host} ${port}`);
      return listener ? listener.router.ask(query) : failure('', 'SERVFAIL', 'the server does not listen yet');
    };
  }

  portOf(host: string, port: number): number | undefined {
    return this.#listeners.get(`${host} ${port}`)?.transports[0]?.address.port;
  }

  /**
   * Opens what is new, then hands every listener its zones: between two queries, so none is lost. Returns a function that closes what is
   * no longer wanted. When a socket cannot be opened, nothing has changed.
   */
  async switchTo(wanted: Map<string, { at: ListenAt; blocks: RoutedBlock[] }>): Promise<() => Promise<void>> {
    const opened = new Map<string, Listener>();
    try {
      for (const [key, { at }] of wanted) if (!this.#listeners.has(key)) opened.set(key, await this.#open(at));
    } catch (error) {
      for (const listener of opened.values()) await closeListener(listener);
      throw error;
    }
    const before = this.#listeners;
    const after = new Map<string, Listener>();
    for (const [key, { blocks }] of wanted) {
      const listener = before.get(key) ?? opened.get(key);
      if (!listener) continue;
      listener.router = new Router(blocks);
      after.set(key, listener);
    }
    this.#listeners = after;
    this.forgetBelow(['.']);
    return async () => {
      for (const [key, listener] of before) if (!after.has(key)) await closeListener(listener);
    };
  }

  /** Makes every transport forget what it might repeat of these names and those below. */
  forgetBelow(names: readonly Name[]): void {
    for (const { transports } of this.#listeners.values()) {
      for (const transport of transports) transport.forgetBelow?.(names);
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#listeners.values()].map(closeListener));
    this.#listeners = new Map();
  }

  async #open(at: ListenAt): Promise<Listener> {
    for (let attempt = 1; ; attempt++) {
      const transports: Transport[] = [];
      const listener: Listener = { at, transports, router: new Router([]) };
      const respond = createResponder({
        ...this.#options,
        router: () => listener.router,
        server: `dns://:${at.port}`,
      });
      try {
        let port = at.port;
        for (const open of this.#options.openers) {
          const transport = await open({ at: { host: at.host, port }, respond });
          transports.push(transport);
          port = transport.address.port;
        }
        return listener;
      } catch (error) {
        await closeListener(listener);
        if (at.port !== 0 || attempt >= ANY_PORT_ATTEMPTS) throw error;
      }
    }
  }
}

async function closeListener(listener: Listener): Promise<void> {
  await Promise.all(listener.transports.map((transport) => transport.close()));
}
