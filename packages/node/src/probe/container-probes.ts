import { type Clock, type Logger, type Running, runInBackground } from '@ballast/base';
import type { Probe } from '@ballast/kube';
import type { ProbeOutcome } from './probe-state.ts';
import { isEarlyTry, ProbeState, probeDelayMs } from './probe-state.ts';

export type ProbeKind = 'startup' | 'liveness' | 'readiness';

export interface ContainerProbesOptions {
  readonly probes: Readonly<Partial<Record<ProbeKind, Probe | undefined>>>;
  readonly startedAtMs: number;
  /** What was known of this very run before the agent started, so that its restart makes nothing unready. */
  readonly before: { readonly started: boolean; readonly ready: boolean };
  /** Undefined when nothing was found out. */
  readonly check: (probe: Probe) => Promise<ProbeOutcome | undefined>;
  /** Something in `started`, `ready` or `failed` changed. */
  readonly changed: () => void;
  /** A check failed: for the event. */
  readonly unhealthy: (kind: ProbeKind, output: string) => void;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Runs the probes of one run of a container: the startup probe first, then liveness and readiness side by side. */
export class ContainerProbes {
  readonly #options: ContainerProbesOptions;
  readonly #running: Running;
  #started: boolean;
  #ready: boolean;
  #failed: ProbeKind | undefined;

  constructor(options: ContainerProbesOptions) {
    this.#options = options;
    this.#started = options.before.started || !options.probes.startup;
    this.#ready = options.before.ready || !options.probes.readiness;
    this.#running = runInBackground((signal) => this.#run(signal));
  }

  get started(): boolean {
    return this.#started;
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** The probe that wants the container to be killed. */
  get failed(): ProbeKind | undefined {
    return this.#failed;
  }

  stop(): void {
    void this.#running[Symbol.asyncDispose]();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { probes } = this.#options;
    if (probes.startup && !this.#started) {
      const ok = await this.#loop('startup', probes.startup, signal);
      if (!ok) return;
    }
    await Promise.all([
      probes.liveness ? this.#loop('liveness', probes.liveness, signal) : undefined,
      probes.readiness ? this.#loop('readiness', probes.readiness, signal) : undefined,
    ]);
  }

  /** Ends with true when a startup probe held, with false when the container is to be killed. */
  async #loop(kind: ProbeKind, probe: Probe, signal: AbortSignal): Promise<boolean> {
    const { clock, startedAtMs } = this.#options;
    const periodMs = (probe.periodSeconds ?? 10) * 1000;
    const state = new ProbeState(probe, kind === 'liveness' || (kind === 'readiness' && this.#options.before.ready));
    const delayMs = (probe.initialDelaySeconds ?? 0) * 1000;
    // Never longer than the delay: a start that seems to lie in the future means that the clock was set back.
    const initialMs = Math.min(delayMs, startedAtMs + delayMs - clock.nowMs());
    if (initialMs > 0) await clock.sleep(initialMs, signal);
    const firstMs = clock.monotonicMs();
    for (let tries = 0; ; tries += 1) {
      const outcome = await this.#options.check(probe);
      if (signal.aborted) return false;
      const early = kind !== 'liveness' && isEarlyTry({ sinceFirstMs: clock.monotonicMs() - firstMs, periodMs });
      const everHeld = state.healthy || kind === 'liveness';
      if (outcome && (outcome.success || !early || everHeld)) {
        if (!outcome.success) this.#options.unhealthy(kind, outcome.output);
        const { changed, failed } = state.note(outcome.success);
        if (this.#apply(kind, state, changed, failed)) return kind === 'startup' && state.healthy;
      }
      const eager = kind !== 'liveness' && !state.healthy && clock.monotonicMs() - firstMs < periodMs;
      await clock.sleep(probeDelayMs({ periodMs, triesSoFar: tries, eager }), signal);
    }
  }

  /** True when the loop is over. */
  #apply(kind: ProbeKind, state: ProbeState, changed: boolean, failed: boolean): boolean {
    if (kind === 'readiness') {
      if (changed) {
        this.#ready = state.healthy;
        this.#options.changed();
      }
      return false;
    }
    if (failed) {
      this.#failed = kind;
      this.#options.changed();
      return true;
    }
    if (kind === 'startup' && state.healthy) {
      this.#started = true;
      this.#options.changed();
      return true;
    }
    return false;
  }
}
