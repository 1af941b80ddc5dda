import { readFile } from 'node:fs/promises';
import { type Clock, errnoOf, type Logger } from '@ballast/base';
import type { Upstream } from './upstream.ts';
import { type ForwardTarget, formatUpstream, parseResolvConf, type UpstreamAddress } from './upstream-address.ts';

/** How often resolv.conf files are looked at: they change when the machine's network does. */
const REREAD_MS = 5000;

/**
 * The upstreams of one `forward`. Those out of files come and go with the files; one that stays keeps its connections and its health. A
 * missing or empty file is no error: the machine's network may not be up yet.
 */
export class UpstreamList {
  readonly #targets: readonly ForwardTarget[];
  readonly #create: (server: UpstreamAddress) => Upstream;
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #said = new Set<string>();
  #upstreams: readonly Upstream[] = [];
  #timer: Disposable | undefined;
  #isClosed = false;

  constructor(options: {
    targets: readonly ForwardTarget[];
    create: (server: UpstreamAddress) => Upstream;
    logger: Logger;
    clock: Clock;
  }) {
    this.#targets = options.targets;
    this.#create = options.create;
    this.#logger = options.logger;
    this.#clock = options.clock;
  }

  get all(): readonly Upstream[] {
    return this.#upstreams;
  }

  async start(): Promise<void> {
    await this.#read();
    if (this.#targets.some(({ kind }) => kind === 'file')) this.#schedule();
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.[Symbol.dispose]();
    for (const upstream of this.#upstreams) upstream.close();
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#timer = this.#clock.timer(REREAD_MS, () => void this.#read().then(() => this.#schedule()));
  }

  async #read(): Promise<void> {
    const servers = new Map<string, UpstreamAddress>();
    for (const target of this.#targets) {
      const found = target.kind === 'server' ? [target.server] : await this.#readFile(target.path);
      for (const server of found) servers.set(formatUpstream(server), server);
    }
    if (this.#isClosed) return;
    const before = new Map(this.#upstreams.map((upstream) => [upstream.name, upstream]));
    this.#upstreams = [...servers].map(([name, server]) => before.get(name) ?? this.#create(server));
    for (const [name, upstream] of before) if (!servers.has(name)) upstream.close();
  }

  async #readFile(path: string): Promise<UpstreamAddress[]> {
    let why = 'it names no nameserver';
    try {
      const servers = parseResolvConf(await readFile(path, 'utf8'));
      if (servers.length > 0) {
        this.#said.delete(path);
        return servers;
      }
    } catch (error) {
      why = errnoOf(error) === 'ENOENT' ? 'there is no such file' : `it cannot be read (${errnoOf(error)})`;
    }
    if (!this.#said.has(path)) {
      const hint = 'names that would be forwarded get SERVFAIL until then';
      this.#logger.warn('no upstreams from this file yet', { path, why, hint });
    }
    this.#said.add(path);
    return [];
  }
}
