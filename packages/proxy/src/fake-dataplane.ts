import { BallastError } from '@ballast/base';
import type { Flow } from '@ballast/linux';
import type { RememberedClient } from './affinity.ts';
import type { Dataplane } from './dataplane.ts';
import type { Element, ElementChange, Family } from './element.ts';
import { FakeNft } from './fake-nft.ts';
import { TABLE, tableFamily } from './ruleset.ts';
import { scriptOf } from './script.ts';

/** A kernel in memory, with the means to break it. */
export class FakeDataplane implements Dataplane, Disposable {
  readonly nft = new FakeNft();
  readonly #seals = new Map<Family, number>();
  #generation = 0;

  /** Transactions of changes so far, each in nft's syntax. */
  readonly changesMade: string[] = [];
  clients: RememberedClient[] = [];
  readonly released: RememberedClient[] = [];
  flows: Flow[] = [];
  readonly forgotten: Flow[] = [];
  /** When set, every write fails. */
  broken = false;

  [Symbol.dispose](): void {}

  /** What another program does to the tables. */
  meddle(script: string): void {
    this.nft.apply(script);
    this.#generation += 1;
  }

  async apply(script: string): Promise<void> {
    this.#write(script);
  }

  change(changes: readonly ElementChange[]): void {
    const script = scriptOf(changes);
    this.#write(script);
    this.changesMade.push(script);
  }

  async reconcile(family: Family, wanted: Iterable<Element>): Promise<number> {
    const changes: ElementChange[] = [];
    const table = this.#table(family);
    const byContainer = Map.groupBy(wanted, ({ container }) => container);
    for (const container of this.nft.containers(table)) {
      const missing = new Map((byContainer.get(container) ?? []).map((element) => [element.key, element]));
      for (const [key, value] of this.nft.elements(table, container)) {
        if (missing.get(key)?.value === value) missing.delete(key);
        else changes.push({ op: 'delete', family, element: { container, key, value } });
      }
      for (const element of missing.values()) changes.push({ op: 'add', family, element });
    }
    if (changes.length > 0) this.#write(scriptOf(changes));
    return changes.length;
  }

  fillRememberChain(): void {
    this.#generation += 1;
  }

  rulesDigest(family: Family): number {
    let digest = 0;
    for (const [chain, rules] of this.nft.chains(this.#table(family))) {
      if (chain.startsWith('remember-')) continue;
      for (const rule of rules) for (const letter of chain + rule) digest = (digest * 31 + letter.charCodeAt(0)) >>> 0;
    }
    return digest;
  }

  readSeal(family: Family): number | undefined {
    return this.nft.hasTable(this.#table(family)) ? this.#seals.get(family) : undefined;
  }

  seal(family: Family, digest: number): void {
    this.#seals.set(family, digest);
    this.#generation += 1;
  }

  generation(): number {
    return this.#generation;
  }

  rememberedClients(): RememberedClient[] {
    return this.clients;
  }

  releaseClients(_family: Family, clients: readonly RememberedClient[]): void {
    this.released.push(...clients);
    this.clients = this.clients.filter((client) => !clients.includes(client));
  }

  async udpFlows(): Promise<Flow[]> {
    return this.flows;
  }

  async forgetFlows(flows: readonly Flow[]): Promise<void> {
    this.forgotten.push(...flows);
  }

  #write(script: string): void {
    if (this.broken) throw new BallastError('nft-failed', 'the fake is broken');
    this.nft.apply(script);
    this.#generation += 1;
  }

  #table(family: Family): string {
    return `${tableFamily(family)} ${TABLE}`;
  }
}
