import type { Clock } from '@ballast/base';
import type { Name } from '../wire/name.ts';

/** Changes are handed on in bundles: a rollout changes one Service many times. */
const BUNDLE_MS = 10;

/**
 * Carries the news that the answers for some names, and for all names below them, have changed, from plugins that own data to those
 * that keep answers. So a kept answer is never older than the data it was made of, whatever its TTL.
 */
export class AnswerChanges {
  readonly #clock: Clock;
  readonly #subscribers = new Set<(names: readonly Name[]) => void>();
  #names = new Set<Name>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  subscribe(heard: (names: readonly Name[]) => void): Disposable {
    this.#subscribers.add(heard);
    return { [Symbol.dispose]: () => this.#subscribers.delete(heard) };
  }

  /** Names are in lower case. */
  announce(names: Iterable<Name>): void {
    if (this.#names.size === 0) this.#clock.timer(BUNDLE_MS, () => this.#flush());
    for (const name of names) this.#names.add(name);
  }

  #flush(): void {
    const names = [...this.#names];
    this.#names = new Set();
    for (const heard of this.#subscribers) heard(names);
  }
}
