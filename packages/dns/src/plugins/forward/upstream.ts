import { connect as connectTcp } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { Clock, Logger } from '@ballast/base';
import { type Message, makeQuery } from '../../wire/message.ts';
import type { Name } from '../../wire/name.ts';
import { TYPE } from '../../wire/registry.ts';
import type { Exchange } from './exchange.ts';
import { StreamExchange } from './stream-exchange.ts';
import { UdpExchange } from './udp-exchange.ts';
import { formatUpstream, type UpstreamAddress } from './upstream-address.ts';

export interface UpstreamOptions {
  readonly maxFails: number;
  readonly probeIntervalMs: number;
  readonly probe: { readonly domain: Name; readonly recursionDesired: boolean };
  readonly forceTcp: boolean;
  /** How long an unused connection stays open. */
  readonly expireMs: number;
  readonly tls: ConnectionOptions;
  readonly randomId: () => number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onProbeFailed: () => void;
}

const PROBE_TIMEOUT_MS = 1000;

/**
 * One server to forward to, and whether it is well. After a failed query it is probed until it answers again; any answer will do. It is
 * down when more than `maxFails` probes in a row got none.
 */
export class Upstream {
  readonly name: string;
  readonly #options: UpstreamOptions;
  readonly #stream: Exchange;
  readonly #datagram: Exchange | undefined;
  #fails = 0;
  #probeTimer: Disposable | undefined;
  #isProbing = false;
  #isClosed = false;

  constructor(server: UpstreamAddress, options: UpstreamOptions) {
    const { address: host, port, tls } = server;
    this.name = formatUpstream(server);
    this.#options = options;
    const servername = tls?.serverName ?? options.tls.servername;
    const connect = tls
      ? () => connectTls({ ...options.tls, host, port, ...(servername === undefined ? {} : { servername }) })
      : () => connectTcp({ host, port, noDelay: true });
    this.#stream = new StreamExchange({ connect, randomId: options.randomId, idleMs: options.expireMs });
    this.#datagram = tls || options.forceTcp ? undefined : new UdpExchange(server, options.randomId);
  }

  get isDown(): boolean {
    return this.#options.maxFails > 0 && this.#fails > this.#options.maxFails;
  }

  /** Asks over UDP, or over a stream when that is wanted or is all there is. */
  async ask(query: Message, options: { stream: boolean; timeoutMs: number }): Promise<Message> {
    try {
      return await (options.stream ? this.#stream : (this.#datagram ?? this.#stream)).ask(query, options.timeoutMs);
    } catch (error) {
      this.#startProbing();
      throw error;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#probeTimer?.[Symbol.dispose]();
    this.#stream.close();
    this.#datagram?.close();
  }

  #startProbing(): void {
    if (this.#isProbing || this.#isClosed || this.#options.maxFails === 0) return;
    this.#isProbing = true;
    void this.#probe();
  }

  async #probe(): Promise<void> {
    const { probe, clock, probeIntervalMs, logger, onProbeFailed } = this.#options;
    const query = makeQuery({ name: probe.domain, type: TYPE.NS }, { recursionDesired: probe.recursionDesired });
    try {
      await (this.#datagram ?? this.#stream).ask(query, PROBE_TIMEOUT_MS);
      if (this.isDown) logger.info('upstream answers again', { upstream: this.name });
      this.#fails = 0;
      this.#isProbing = false;
    } catch {
      const wasDown = this.isDown;
      this.#fails += 1;
      onProbeFailed();
      if (this.isDown && !wasDown) logger.warn('upstream is down', { upstream: this.name, failedProbes: this.#fails });
      if (!this.#isClosed) this.#probeTimer = clock.timer(probeIntervalMs, () => void this.#probe());
    }
  }
}
