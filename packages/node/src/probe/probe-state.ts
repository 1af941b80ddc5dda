import type { Probe } from '@ballast/kube';

/** How one check went. */
export interface ProbeOutcome {
  readonly success: boolean;
  /** What the check said, for the event. */
  readonly output: string;
}

/**
 * Counts the outcomes of one probe of one run of a container. A verdict changes after `successThreshold` successes or `failureThreshold`
 * failures in a row.
 */
export class ProbeState {
  readonly #successThreshold: number;
  readonly #failureThreshold: number;
  #inARow = 0;
  #lastSuccess: boolean | undefined;
  #healthy: boolean;

  constructor(probe: Pick<Probe, 'successThreshold' | 'failureThreshold'>, healthy: boolean) {
    this.#successThreshold = probe.successThreshold ?? 1;
    this.#failureThreshold = probe.failureThreshold ?? 3;
    this.#healthy = healthy;
  }

  get healthy(): boolean {
    return this.#healthy;
  }

  /** Notes an outcome. `failed` is true when the failures in a row have just reached the threshold, or passed it. */
  note(success: boolean): { readonly changed: boolean; readonly failed: boolean } {
    this.#inARow = this.#lastSuccess === success ? this.#inARow + 1 : 1;
    this.#lastSuccess = success;
    if (this.#inARow < (success ? this.#successThreshold : this.#failureThreshold)) {
      return { changed: false, failed: false };
    }
    const changed = this.#healthy !== success;
    this.#healthy = success;
    return { changed, failed: !success };
  }
}

/**
 * How long to wait before the next check. Departs from upstream: as long as a readiness or startup probe has not held once, it is tried
 * sooner than after a whole period (0.1, 0.2, 0.4 ... s), because most programs listen within a second; these early tries count
 * only when they succeed.
 */
export function probeDelayMs(options: {
  readonly periodMs: number;
  readonly triesSoFar: number;
  readonly eager: boolean;
}): number {
  if (!options.eager) return options.periodMs;
  return Math.min(options.periodMs, 100 * 2 ** Math.min(options.triesSoFar, 20));
}

/** True for tries that come before a whole period has passed since the first: failures among them do not count. */
export function isEarlyTry(options: { readonly sinceFirstMs: number; readonly periodMs: number }): boolean {
  return options.sinceFirstMs > 0 && options.sinceFirstMs < options.periodMs;
}
