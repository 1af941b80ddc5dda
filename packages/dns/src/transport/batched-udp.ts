import { Worker } from 'node:worker_threads';
import { formatIp, ipFromBytes, type Logger, parseIp } from '@ballast/base';
import { answerDatagram, closeFd, openUdpSocket, openWakeFd, SystemCallError, wake } from '@ballast/linux';
import type { Peer } from '../chain/query.ts';
import { ttlOffsets } from '../wire/ttl-offsets.ts';
import { listenError } from './listen-error.ts';
import { rotateAddresses } from './rotate-addresses.ts';
import {
  type ListenAt,
  type OpenTransport,
  plainAddress,
  type Responder,
  type Transport,
  type WireAnswer,
} from './transport.ts';
import type { Miss, ToMain, ToWorker, WorkerSetup } from './worker-messages.ts';

export interface BatchedUdpOptions {
  /** Threads, each with a socket of its own. */
  readonly workers: number;
  readonly logger: Logger;
  /** Answers that each worker may know. */
  readonly cacheEntries?: number;
  /** Told how often workers gave an answer by themselves. */
  readonly onReused: (tally: string, times: number) => void;
}

/** Misses worked on at a time; more are dropped, as a full socket buffer would. */
const MAX_IN_FLIGHT = 10_000;
const BUFFER_OCTETS = 4 * 1024 * 1024;
const CACHE_ENTRIES = 8192;
/** Pause before a worker that failed is replaced. */
const RESTART_MS = 100;
/** Longest answer that a worker's slots hold. */
const MAX_TAUGHT_OCTETS = 1536;

/**
 * UDP over worker threads that answer repeated questions by themselves; see udp-worker.ts. What they do not know comes here, goes through
 * the plugin chain, and is sent from this thread on the worker's socket.
 */
export function batchedUdp(options: BatchedUdpOptions): OpenTransport {
  return async ({ at, respond }) => {
    const sockets = openSockets(at, options.workers);
    const workers = sockets.map(({ fd }) => new UdpWorker(fd, respond, options));
    return {
      protocol: 'udp',
      address: { host: at.host, port: sockets[0]?.port ?? at.port },
      forgetBelow(names) {
        for (const worker of workers) worker.forget(names);
      },
      async close() {
        await Promise.all(workers.map((worker) => worker.close()));
      },
    } satisfies Transport;
  };
}

/** One socket for each worker on the same port. */
function openSockets(at: ListenAt, count: number): { fd: number; port: number }[] {
  const ip = parseIp(at.host);
  if (!ip) throw listenError(new Error(`"${at.host}" is not an address`), 'udp', at);
  const opened: { fd: number; port: number }[] = [];
  try {
    // Sockets that share a port do not notice a stranger that shares it too: a first one that does not share finds out.
    const first = openUdpSocket({ ip, port: at.port, receiveBufferOctets: BUFFER_OCTETS });
    if (count === 1) return [first];
    closeFd(first.fd);
    for (let i = 0; i < count; i++) {
      opened.push(openUdpSocket({ ip, port: first.port, reusePort: true, receiveBufferOctets: BUFFER_OCTETS }));
    }
    return opened;
  } catch (error) {
    for (const { fd } of opened) closeFd(fd);
    const cause =
      error instanceof SystemCallError ? Object.assign(new Error(error.message), { code: error.errno }) : error;
    throw listenError(cause, 'udp', at);
  }
}

class UdpWorker {
  readonly #fd: number;
  readonly #wakeFd = openWakeFd();
  readonly #respond: Responder;
  readonly #options: BatchedUdpOptions;
  readonly #stopped = Promise.withResolvers<void>();
  readonly #posted = new Int32Array(new SharedArrayBuffer(4));
  #worker: Worker;
  #inFlight = 0;
  #isClosing = false;
  #idle: (() => void) | undefined;

  constructor(fd: number, respond: Responder, options: BatchedUdpOptions) {
    this.#fd = fd;
    this.#respond = respond;
    this.#options = options;
    this.#worker = this.#start();
  }

  forget(names: readonly string[]): void {
    this.#post({ kind: 'forget', names });
    wake(this.#wakeFd);
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#post({ kind: 'stop' });
    wake(this.#wakeFd);
    await this.#stopped.promise;
    if (this.#inFlight > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    await this.#worker.terminate();
    closeFd(this.#fd);
    closeFd(this.#wakeFd);
  }

  #start(): Worker {
    const setup: WorkerSetup = {
      socketFd: this.#fd,
      wakeFd: this.#wakeFd,
      cacheEntries: this.#options.cacheEntries ?? CACHE_ENTRIES,
      posted: this.#posted,
    };
    const worker = new Worker(new URL('./udp-worker.ts', import.meta.url), {
      workerData: setup,
      // A worker makes little garbage: its answers lie in Buffers outside of the heap.
      resourceLimits: { maxYoungGenerationSizeMb: 8 },
    });
    worker.on('message', (message: ToMain) => this.#receive(message));
    worker.on('error', (error) => this.#options.logger.error('a DNS worker failed; starting another', { error }));
    worker.on('exit', () => {
      if (this.#isClosing) this.#stopped.resolve();
      // The socket lives on, and with it the queries that wait in it.
      else setTimeout(() => this.#restart(), RESTART_MS);
    });
    return worker;
  }

  #restart(): void {
    if (this.#isClosing) this.#stopped.resolve();
    else this.#worker = this.#start();
  }

  #receive(message: ToMain): void {
    if (message.kind === 'misses') for (const miss of message.misses) this.#answer(miss);
    else if (message.kind === 'counts')
      for (const [tally, times] of message.counts) this.#options.onReused(tally, times);
    else this.#stopped.resolve();
  }

  #answer(miss: Miss): void {
    if (this.#inFlight >= MAX_IN_FLIGHT) return;
    this.#inFlight++;
    void this.#respond(miss.bytes, peerOf(miss.from), 'udp').then((answer) => {
      this.#inFlight--;
      if (answer) {
        // Taught first: a client that asks again at once finds the worker prepared.
        this.#teach(miss, answer);
        answerDatagram(this.#fd, answer.bytes, { from: Buffer.from(miss.from), control: Buffer.from(miss.control) });
      }
      if (this.#inFlight === 0) this.#idle?.();
    });
  }

  #teach({ bytes: query }: Miss, { bytes, reusable }: WireAnswer): void {
    if (!reusable || bytes.length > MAX_TAUGHT_OCTETS || this.#isClosing) return;
    const { mayRotate, ...rest } = reusable;
    const variants = mayRotate ? rotateAddresses(bytes) : [bytes];
    this.#post({ kind: 'learn', lesson: { ...rest, query, variants, ttlOffsets: ttlOffsets(bytes) } });
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
    Atomics.add(this.#posted, 0, 1);
  }
}

/** Address and port out of the sockaddr of Linux: family (2 octets), port, then the address at 4 (IPv4) or 8 (IPv6). */
function peerOf(from: Uint8Array): Peer {
  const port = ((from[2] ?? 0) << 8) | (from[3] ?? 0);
  if (from.length <= 16) return { address: `${from[4]}.${from[5]}.${from[6]}.${from[7]}`, port };
  return { address: plainAddress(formatIp(ipFromBytes(from.subarray(8, 24)))), port };
}
