import { type Clock, hasCode, type Logger, messageOf } from '@ballast/base';
import { mayStrandClients, parseRememberedClients, staleClients } from './affinity.ts';
import type { Dataplane } from './dataplane.ts';
import type { Family } from './element.ts';
import type { Delta, FrontendChange, Ledger } from './ledger.ts';
import type { ProxyMetrics } from './metrics.ts';
import { type Networks, rememberChainScript, removal, skeleton, TABLE, tableFamily } from './ruleset.ts';
import { scriptOf } from './script.ts';
import { familiesWithStaleFlows, staleFlows } from './stale-flows.ts';

export interface ProgrammerOptions {
  readonly ledger: Ledger;
  readonly dataplane: Dataplane;
  readonly families: readonly Family[];
  readonly networks: (family: Family) => Networks;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: ProxyMetrics;
}

/** Brings the kernel to what the ledger says, by differences; by writing everything when it is unknown what the kernel holds. */
export class Programmer {
  readonly #options: ProgrammerOptions;
  /** The structure of each table as it was after our last write to it; undefined = not known to be ours. */
  #structures: Map<Family, string | undefined> | undefined;
  #known = false;

  constructor(options: ProgrammerOptions) {
    this.#options = options;
  }

  /** The next write will be of everything. */
  distrust(): void {
    this.#known = false;
  }

  /** Writes what the ledger has pending. A refused difference is followed by a full write at once; that one's failure is thrown. */
  async sync(signal?: AbortSignal): Promise<void> {
    const { ledger, dataplane, logger, metrics } = this.#options;
    if (!this.#known) return this.#writeAll(signal);
    const delta = ledger.delta();
    const script = this.#remember(delta) + scriptOf(delta.changes);
    if (script === '') {
      ledger.commit();
      await this.#cleanUp(delta.frontends);
      return;
    }
    try {
      await this.#timed(metrics.partialSyncSeconds, () => dataplane.apply(script, signal));
    } catch (error) {
      if (signal?.aborted) throw error;
      metrics.failures.inc();
      logger.warn('the table does not hold what was written, writing all of it', { error: messageOf(error) });
      this.#known = false;
      return this.#writeAll(signal);
    }
    ledger.commit();
    if (delta.newAffinitySeconds.length > 0) await this.#learnStructure();
    metrics.elementsWritten.inc([], delta.changes.length);
    await this.#cleanUp(delta.frontends);
  }

  /** Looks whether somebody else changed the table; true when all was written anew because of that. */
  async verify(signal?: AbortSignal): Promise<boolean> {
    const { families, dataplane, logger, metrics } = this.#options;
    if (!this.#known || !this.#structures) return false;
    for (const family of families) {
      const found = await dataplane.structure(family);
      if (found === this.#structures.get(family)) continue;
      const table = `${tableFamily(family)} ${TABLE}`;
      logger.warn('somebody else changed the table, writing all of it', { table, missing: found === undefined });
      metrics.repairs.inc();
      await this.#writeAll(signal);
      return true;
    }
    return false;
  }

  async #writeAll(signal?: AbortSignal): Promise<void> {
    const { ledger, dataplane, families, networks, logger, metrics } = this.#options;
    ledger.forget();
    const delta = ledger.delta();
    const tables = families.map((family) => skeleton(family, networks(family))).join('');
    const elements = this.#remember(delta) + scriptOf(delta.changes);
    try {
      await this.#timed(metrics.fullSyncSeconds, async () => {
        try {
          await dataplane.apply(tables + elements, signal);
        } catch (error) {
          if (!hasCode(error, 'nft-mismatch')) throw error;
          // A table of another release, whose containers have other types. Only remembered clients are lost.
          logger.warn('cannot take over the table that is there, replacing it', { error: messageOf(error) });
          await dataplane.apply(families.map(removal).join('') + tables + elements, signal);
        }
      });
    } catch (error) {
      metrics.failures.inc();
      throw error;
    }
    ledger.commit();
    this.#known = true;
    await this.#learnStructure();
    metrics.elementsWritten.inc([], delta.changes.length);
    await this.#cleanUp(delta.frontends);
    await this.#releaseClients();
  }

  #remember(delta: Delta): string {
    const { families } = this.#options;
    return delta.newAffinitySeconds
      .flatMap((seconds) => families.map((family) => rememberChainScript(family, seconds)))
      .join('');
  }

  async #learnStructure(): Promise<void> {
    const { families, dataplane } = this.#options;
    const structures = new Map<Family, string | undefined>();
    for (const family of families) structures.set(family, await dataplane.structure(family));
    this.#structures = structures;
  }

  /** What the new elements leave behind: it improves on what is already right for new connections, so failures are only logged. */
  async #cleanUp(changes: readonly FrontendChange[]): Promise<void> {
    const { dataplane, logger, metrics } = this.#options;
    for (const family of familiesWithStaleFlows(changes)) {
      try {
        const stale = staleFlows(await dataplane.udpFlows(family), changes);
        if (stale.length === 0) continue;
        await dataplane.forgetFlows(stale);
        metrics.staleFlows.inc([], stale.length);
      } catch (error) {
        logger.warn('cannot clean up stale UDP flows', { error: messageOf(error) });
      }
    }
    if (mayStrandClients(changes)) await this.#releaseClients();
  }

  async #releaseClients(): Promise<void> {
    const { ledger, dataplane, families, logger, metrics } = this.#options;
    for (const family of families) {
      try {
        const clients = parseRememberedClients(await dataplane.rememberedClients(family));
        const stale = staleClients(clients, (key) => ledger.committedFrontend(key));
        if (stale.length === 0) continue;
        const table = `${tableFamily(family)} ${TABLE}`;
        for (let at = 0; at < stale.length; at += 1000) {
          const keys = stale.slice(at, at + 1000).map(({ key }) => key);
          await dataplane.apply(`delete element ${table} affinity { ${keys.join(', ')} }\n`);
        }
        metrics.strandedClients.inc([], stale.length);
      } catch (error) {
        logger.warn('cannot release clients from endpoints that are gone', { error: messageOf(error) });
      }
    }
  }

  async #timed(histogram: ProxyMetrics['syncSeconds'], write: () => Promise<void>): Promise<void> {
    const { clock, metrics } = this.#options;
    const startMs = clock.monotonicMs();
    await write();
    const seconds = (clock.monotonicMs() - startMs) / 1000;
    histogram.observe(seconds);
    metrics.syncSeconds.observe(seconds);
    metrics.lastSyncSeconds.set(clock.nowMs() / 1000);
  }
}
