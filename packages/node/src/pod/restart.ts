import type { Container, EphemeralContainer, Pod } from '@ballast/kube';
import type { ContainerView } from './pod-view.ts';

/** Whether a container that ended with this code is to be run again. */
export function shouldRestart(pod: Pod, spec: Container | EphemeralContainer, exitCode: number): boolean {
  for (const rule of spec.restartPolicyRules ?? []) {
    const listed = rule.exitCodes?.values?.includes(exitCode) ?? false;
    if (rule.exitCodes && listed === (rule.exitCodes.operator === 'In')) return true;
  }
  const policy = spec.restartPolicy ?? pod.spec?.restartPolicy ?? 'Always';
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

const INITIAL_MS = 10_000;
const MAX_MS = 300_000;

interface Entry {
  delayMs: number;
  updatedAtMs: number;
}

/**
 * Delays between restarts: the first comes at once, then 10 s after the end of the previous run, doubling up to 5 minutes. A run of 10
 * minutes counts as a success and forgets the past. In memory only, as upstream.
 */
export class RestartBackoff {
  readonly #entries = new Map<string, Entry>();

  /** When the next run may start, given how the last one ended; 0 for now. */
  notBeforeMs(name: string, last: ContainerView): number {
    const entry = this.#current(name, last.finishedAtMs);
    return entry ? last.finishedAtMs + entry.delayMs : 0;
  }

  /** Call when a run is started again after `last`. */
  restarted(name: string, last: ContainerView, nowMs: number): void {
    const entry = this.#current(name, last.finishedAtMs);
    this.#entries.set(name, {
      delayMs: entry ? Math.min(entry.delayMs * 2, MAX_MS) : INITIAL_MS,
      updatedAtMs: nowMs,
    });
  }

  /** The delay that applies to a container, for messages. */
  delayMs(name: string): number {
    return this.#entries.get(name)?.delayMs ?? 0;
  }

  #current(name: string, eventMs: number): Entry | undefined {
    const entry = this.#entries.get(name);
    return entry && eventMs - entry.updatedAtMs <= 2 * MAX_MS ? entry : undefined;
  }
}

/** A duration as Go prints it ('10s', '1m20s', '5m0s'): messages are compared and parsed by people's tools. */
export function goDuration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const [hours, minutes, rest] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (hours > 0) return `${hours}h${minutes}m${rest}s`;
  return minutes > 0 ? `${minutes}m${rest}s` : `${rest}s`;
}
