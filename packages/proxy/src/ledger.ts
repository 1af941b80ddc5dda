import type { Element, ElementChange, Family } from './element.ts';
import { elementsOf, type Frontend, type Unit } from './frontend.ts';

/** What one commit changes: the elements, and the frontends behind them for those who clean up after it. */
export interface Delta {
  /** Deletions come before additions. */
  readonly changes: readonly ElementChange[];
  readonly frontends: readonly FrontendChange[];
  /** Affinity durations in use after the change that were not before; each needs its chain. */
  readonly newAffinitySeconds: readonly number[];
}

/** `before` is what the kernel had, `after` what it has once the delta is applied. */
export interface FrontendChange {
  readonly before: Frontend | undefined;
  readonly after: Frontend | undefined;
}

/**
 * The claims of all Services, and which of them the kernel holds. Several Services may claim one unit (an address and port, a shared
 * element); the strongest claim is programmed, and when it goes the next one takes its place. The cost of a change is that of the units it
 * touches, whatever the number of Services.
 */
export class Ledger {
  readonly #byOwner = new Map<string, readonly Unit[]>();
  /** Nearly every unit has one claimant; only then is an array worth its memory. */
  readonly #claims = new Map<string, Unit | Unit[]>();
  readonly #committed = new Map<string, Unit>();
  readonly #dirty = new Set<string>();
  readonly #affinitySeconds = new Set<number>();

  /** Replaces all claims of one Service; an empty list withdraws them. */
  replace(owner: string, units: readonly Unit[]): void {
    for (const unit of this.#byOwner.get(owner) ?? []) {
      this.#withdraw(unit);
      this.#dirty.add(unit.key);
    }
    if (units.length === 0) this.#byOwner.delete(owner);
    else this.#byOwner.set(owner, units);
    for (const unit of units) {
      const claim = this.#claims.get(unit.key);
      if (claim === undefined) this.#claims.set(unit.key, unit);
      else if (Array.isArray(claim)) claim.push(unit);
      else this.#claims.set(unit.key, [claim, unit]);
      this.#dirty.add(unit.key);
    }
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0;
  }

  /** What must change in the kernel. Call `commit` when that was done, `forget` when it is unknown what the kernel holds. */
  delta(): Delta {
    const changes: ElementChange[] = [];
    const frontends: FrontendChange[] = [];
    const newAffinitySeconds = new Set<number>();
    for (const key of this.#dirty) {
      const before = this.#committed.get(key);
      const after = this.#winner(key);
      if (before === after) continue;
      const familyBefore = before?.family ?? after?.family;
      if (familyBefore === undefined) continue;
      const count = changes.length;
      diffElements(changes, before, after, familyBefore);
      if (after?.kind === 'frontend' && after.affinitySeconds !== undefined) {
        if (!this.#affinitySeconds.has(after.affinitySeconds)) newAffinitySeconds.add(after.affinitySeconds);
      }
      const change = {
        before: before?.kind === 'frontend' ? before : undefined,
        after: after?.kind === 'frontend' ? after : undefined,
      };
      const sameFlows =
        (change.before?.serving ?? NOBODY).symmetricDifference(change.after?.serving ?? NOBODY).size === 0;
      if (changes.length > count || !sameFlows) frontends.push(change);
    }
    changes.sort((a, b) => Number(a.op === 'add') - Number(b.op === 'add'));
    return { changes, frontends, newAffinitySeconds: [...newAffinitySeconds] };
  }

  /** The delta is in the kernel. Nothing may have been replaced since it was made. */
  commit(): void {
    for (const key of this.#dirty) {
      const winner = this.#winner(key);
      if (winner) this.#committed.set(key, winner);
      else this.#committed.delete(key);
      if (winner?.kind === 'frontend' && winner.affinitySeconds !== undefined) {
        this.#affinitySeconds.add(winner.affinitySeconds);
      }
    }
    this.#dirty.clear();
  }

  /** The kernel's content is unknown: everything is to be compared with it, see `overview`. */
  forget(): void {
    this.#committed.clear();
    this.#affinitySeconds.clear();
    this.#dirty.clear();
    for (const key of this.#claims.keys()) this.#dirty.add(key);
  }

  /** What is wanted in all, for those who write it anew: affinity durations, and the frontends that may have left flows behind. */
  overview(): { readonly affinitySeconds: readonly number[]; readonly frontends: readonly FrontendChange[] } {
    const affinitySeconds = new Set<number>();
    const frontends: FrontendChange[] = [];
    for (const key of this.#claims.keys()) {
      const after = this.#winner(key);
      if (after?.kind !== 'frontend') continue;
      if (after.affinitySeconds !== undefined) affinitySeconds.add(after.affinitySeconds);
      if (after.protocol === 'udp') frontends.push({ before: undefined, after });
    }
    return { affinitySeconds: [...affinitySeconds], frontends };
  }

  /** Every element that is wanted, those of one unit together. Made while they are taken: all at once would be a lot of memory. */
  *wantedElements(family: Family): Iterable<Element> {
    for (const key of this.#claims.keys()) {
      const unit = this.#winner(key);
      if (unit?.family === family) yield* elementsOf(unit);
    }
  }

  /** The frontend that the kernel holds under this key ('10.43.0.1 tcp 443'). */
  committedFrontend(key: string): Frontend | undefined {
    const unit = this.#committed.get(key);
    return unit?.kind === 'frontend' ? unit : undefined;
  }

  /** Units that more than one Service claims, with the winner first. */
  *conflicts(): Iterable<readonly Unit[]> {
    for (const claim of this.#claims.values()) {
      if (Array.isArray(claim) && claim[0]?.kind === 'frontend') yield claim.toSorted(byStrength);
    }
  }

  #winner(key: string): Unit | undefined {
    const claim = this.#claims.get(key);
    if (!Array.isArray(claim)) return claim;
    return claim.reduce((best, unit) => (byStrength(unit, best) < 0 ? unit : best));
  }

  #withdraw(unit: Unit): void {
    const claim = this.#claims.get(unit.key);
    if (!Array.isArray(claim)) {
      this.#claims.delete(unit.key);
      return;
    }
    const rest = claim.filter((other) => other !== unit);
    const [only] = rest;
    if (rest.length === 1 && only) this.#claims.set(unit.key, only);
    else this.#claims.set(unit.key, rest);
  }
}

const NOBODY: ReadonlySet<string> = new Set();

function byStrength(a: Unit, b: Unit): number {
  return a.rank - b.rank || (a.owner < b.owner ? -1 : a.owner > b.owner ? 1 : 0);
}

function diffElements(
  changes: ElementChange[],
  before: Unit | undefined,
  after: Unit | undefined,
  family: Family,
): void {
  if (!before) {
    for (const element of after ? elementsOf(after) : []) changes.push({ op: 'add', family, element });
    return;
  }
  const old = new Map<string, Element>();
  for (const element of elementsOf(before)) old.set(`${element.container} ${element.key}`, element);
  for (const element of after ? elementsOf(after) : []) {
    const id = `${element.container} ${element.key}`;
    const known = old.get(id);
    old.delete(id);
    if (known?.value === element.value) continue;
    // An element's value cannot be changed in place; both halves are in one transaction, so no packet sees the gap.
    if (known) changes.push({ op: 'delete', family, element: known });
    changes.push({ op: 'add', family, element });
  }
  for (const element of old.values()) changes.push({ op: 'delete', family, element });
}
