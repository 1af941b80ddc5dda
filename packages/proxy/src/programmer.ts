import { crc32 } from 'node:zlib';
import { type Clock, hasCode, type Logger, messageOf } from '@ballast/base';
import { mayStrandClients, staleClients } from './affinity.ts';
import type { Dataplane } from './dataplane.ts';
import type { Family } from './element.ts';
import type { FrontendChange, Ledger } from './ledger.ts';
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

/** Between two comparisons of all elements, after others changed anything in nf_tables. */
const COMPARE_EVERY_MS = 60_000;

/**
 * Brings the kernel to what the ledger says: by differences while it is known what the kernel holds, else by comparing with what it does hold.
 *
 * A table carries a seal: a digest of the script that made its fixed part and of the rules as the kernel has them. A table whose seal is
 * right is taken over as it is, and only elements that differ are written; any other is replaced in one transaction with all elements, so that
 * packets find the old table or the new one.
 */
export class Programmer {
  readonly #options: ProgrammerOptions;
  #known = false;
  /** nf_tables' generation after our last transaction, if nobody else makes any. */
  #generation = 0;
  #comparedMs = Number.NEGATIVE_INFINITY;

  constructor(options: ProgrammerOptions) {
    this.#options = options;
  }

  /** The next write will compare everything. */
  distrust(): void {
    this.#known = false;
  }

  /** Writes what the ledger has pending. A refused difference is followed by a comparison at once; that one's failure is thrown. */
  async sync(signal?: AbortSignal): Promise<void> {
    const { ledger, dataplane, logger, metrics } = this.#options;
    if (!this.#known) {
      await this.#takeOver(signal);
      return;
    }
    const delta = ledger.delta();
    try {
      await this.#addRememberChains(delta.newAffinitySeconds, signal);
      if (delta.changes.length > 0) {
        await this.#timed(metrics.partialSyncSeconds, async () => dataplane.change(delta.changes));
        this.#generation += 1;
      }
    } catch (error) {
      if (signal?.aborted) throw error;
      metrics.failures.inc();
      logger.warn('the table does not hold what was written, comparing all of it', { error: messageOf(error) });
      await this.#takeOver(signal);
      return;
    }
    ledger.commit();
    metrics.elementsWritten.inc([], delta.changes.length);
    await this.#cleanUp(delta.frontends);
  }

  /** Looks whether somebody else changed the table, and repairs it. Costs next to nothing while nobody writes to nf_tables. */
  async verify(signal?: AbortSignal): Promise<void> {
    const { dataplane, families, logger, metrics, clock } = this.#options;
    if (!this.#known) return;
    const generation = dataplane.generation();
    if (generation === this.#generation) return;
    const broken = families.filter((family) => !this.#isOurs(family));
    const isDue = clock.monotonicMs() - this.#comparedMs >= COMPARE_EVERY_MS;
    if (broken.length === 0 && !isDue) return;
    for (const family of broken) {
      logger.warn('somebody else changed the table, repairing it', { table: `${tableFamily(family)} ${TABLE}` });
    }
    const differences = await this.#takeOver(signal);
    if (broken.length > 0 || differences > 0) metrics.repairs.inc();
    if (broken.length === 0 && differences > 0) {
      logger.warn('somebody else changed elements of the table, repaired', { elements: differences });
    }
  }

  /** Writes everything that differs; the number of elements that did. */
  async #takeOver(signal?: AbortSignal): Promise<number> {
    const { ledger, dataplane, families, metrics, clock } = this.#options;
    this.#known = false;
    ledger.forget();
    const { affinitySeconds, frontends } = ledger.overview();
    let differences = 0;
    try {
      await this.#timed(metrics.fullSyncSeconds, async () => {
        for (const family of families) {
          if (this.#isOurs(family)) await this.#writeRememberChains(family, affinitySeconds, signal);
          else await this.#replaceTable(family, affinitySeconds, signal);
          differences += await dataplane.reconcile(family, ledger.wantedElements(family));
        }
      });
    } catch (error) {
      metrics.failures.inc();
      throw error;
    }
    ledger.commit();
    this.#known = true;
    this.#comparedMs = clock.monotonicMs();
    this.#generation = dataplane.generation();
    metrics.elementsWritten.inc([], differences);
    await this.#cleanUp(frontends);
    await this.#releaseClients();
    return differences;
  }

  /** Writes a table that is missing, or that another release or somebody's hands made, in one transaction. */
  async #replaceTable(family: Family, affinitySeconds: readonly number[], signal?: AbortSignal): Promise<void> {
    const { ledger, dataplane, networks, logger } = this.#options;
    const fixed = skeleton(family, networks(family));
    const chains = affinitySeconds.map((seconds) => rememberChainScript(family, seconds)).join('');
    // Of a table that is not there, nobody can notice that it fills step by step, which is much faster than nft is.
    const isNew = dataplane.rulesDigest(family) === 0;
    const wanted = isNew ? [] : [...ledger.wantedElements(family)];
    const elements = scriptOf(wanted.map((element) => ({ op: 'add', family, element })));
    try {
      await dataplane.apply(fixed + chains + elements, signal);
    } catch (error) {
      if (!hasCode(error, 'nft-mismatch')) throw error;
      // Its containers have other types. Only remembered clients are lost.
      logger.warn('cannot take over the table that is there, replacing it', { error: messageOf(error) });
      await dataplane.apply(removal(family) + fixed + chains + elements, signal);
    }
    for (const seconds of affinitySeconds) dataplane.fillRememberChain(family, seconds);
    dataplane.seal(family, this.#digest(family));
  }

  #isOurs(family: Family): boolean {
    const seal = this.#options.dataplane.readSeal(family);
    return seal !== undefined && seal === this.#digest(family);
  }

  #digest(family: Family): number {
    const { dataplane, networks } = this.#options;
    return crc32(skeleton(family, networks(family)), dataplane.rulesDigest(family));
  }

  async #addRememberChains(affinitySeconds: readonly number[], signal?: AbortSignal): Promise<void> {
    const { families, dataplane } = this.#options;
    if (affinitySeconds.length === 0) return;
    for (const family of families) await this.#writeRememberChains(family, affinitySeconds, signal);
    this.#generation = dataplane.generation();
  }

  async #writeRememberChains(family: Family, affinitySeconds: readonly number[], signal?: AbortSignal): Promise<void> {
    const { dataplane } = this.#options;
    if (affinitySeconds.length === 0) return;
    await dataplane.apply(affinitySeconds.map((seconds) => rememberChainScript(family, seconds)).join(''), signal);
    for (const seconds of affinitySeconds) dataplane.fillRememberChain(family, seconds);
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
        const clients = dataplane.rememberedClients(family);
        const stale = staleClients(clients, (key) => ledger.committedFrontend(key));
        if (stale.length === 0) continue;
        dataplane.releaseClients(family, stale);
        this.#generation = dataplane.generation();
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
