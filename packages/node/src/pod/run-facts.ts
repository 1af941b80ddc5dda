import type { Pod } from '@ballast/kube';
import { ContainerProbes, type ProbeKind } from '../probe/container-probes.ts';
import { runProbe } from '../probe/run-probe.ts';
import { containerFieldPath, containersOfPod, type PodContainer } from './containers-of-pod.ts';
import type { ContainerFacts, KillReason } from './plan.ts';
import type { PodContext } from './pod-context.ts';
import { type ContainerView, currentSandbox, latestByName, type PodView } from './pod-view.ts';
import { RestartBackoff } from './restart.ts';
import type { StatusFacts } from './status.ts';

const PROBE_TITLES: Record<ProbeKind, string> = { startup: 'Startup', liveness: 'Liveness', readiness: 'Readiness' };

/** The longest delay before a restart, and before an image is pulled again. */
const LONGEST_WAIT_MS = 300_000;

/** What is known about the runs of a pod's containers that neither the API nor the runtime keeps: probes, hooks, delays, reasons. */
export class RunFacts implements ContainerFacts, StatusFacts {
  readonly backoff = new RestartBackoff();
  readonly #context: PodContext;
  readonly #changed: () => void;
  readonly #probes = new Map<string, ContainerProbes>();
  readonly #waiting = new Map<string, { reason: string; message?: string | undefined }>();
  readonly #holds = new Map<string, number>();
  readonly #lastWords = new Map<string, string>();
  /** Runs whose postStart hook has not ended yet. */
  readonly #inHook = new Set<string>();

  constructor(context: PodContext, changed: () => void) {
    this.#context = context;
    this.#changed = changed;
  }

  isStarted(containerId: string): boolean {
    return !this.#inHook.has(containerId) && (this.#probes.get(containerId)?.started ?? false);
  }

  isReady(containerId: string): boolean {
    return this.#probes.get(containerId)?.ready ?? false;
  }

  killReason(containerId: string): KillReason | undefined {
    const probes = this.#probes.get(containerId);
    return probes?.failed ? this.#killReasons.get(containerId) : undefined;
  }

  readonly #killReasons = new Map<string, KillReason>();
  /** Resources that were changed while the container ran. */
  readonly #resources = new Map<string, string>();

  appliedResources(run: ContainerView): string {
    return this.#resources.get(run.id) ?? run.resources;
  }

  setAppliedResources(containerId: string, resources: string): void {
    this.#resources.set(containerId, resources);
  }

  notBeforeMs(name: string, last: ContainerView | undefined): number {
    const hold = this.#holds.get(name) ?? 0;
    const atMs = last?.state === 'exited' ? Math.max(hold, this.backoff.notBeforeMs(name, last)) : hold;
    // A clock that was set back must not make a wait longer than any can be.
    return atMs - this.#context.clock.nowMs() > LONGEST_WAIT_MS ? 0 : atMs;
  }

  /** Keeps a container from being tried again before a time, after its start failed. */
  hold(name: string, untilMs: number): void {
    this.#holds.set(name, untilMs);
  }

  /** Something that was missing may be there now: try again at once. */
  releaseHolds(): void {
    this.#holds.clear();
  }

  waiting(name: string): { reason: string; message?: string | undefined } | undefined {
    return this.#waiting.get(name);
  }

  setWaiting(name: string, reason: string, message?: string): void {
    this.#waiting.set(name, { reason, message });
  }

  clearWaiting(name: string): void {
    this.#waiting.delete(name);
    this.#holds.delete(name);
  }

  terminationMessage(run: ContainerView): string {
    return this.#lastWords.get(run.id) ?? '';
  }

  hasTerminationMessage(id: string): boolean {
    return this.#lastWords.has(id);
  }

  setTerminationMessage(id: string, text: string): void {
    this.#lastWords.set(id, text);
  }

  hookBegins(containerId: string): void {
    this.#inHook.add(containerId);
  }

  hookEnds(containerId: string): void {
    this.#inHook.delete(containerId);
  }

  /** Starts the probes of new runs and ends those of runs that are over. */
  follow(pod: Pod, view: PodView): void {
    const alive = new Set<string>();
    const latest = latestByName(view);
    for (const container of containersOfPod(pod)) {
      const run = latest.get(container.spec.name);
      if (run?.state !== 'running') continue;
      alive.add(run.id);
      if (!this.#probes.has(run.id) && !this.#inHook.has(run.id)) this.#probe(pod, container, run, view);
    }
    for (const [id, probes] of this.#probes) {
      if (alive.has(id)) continue;
      probes.stop();
      this.#probes.delete(id);
      this.#killReasons.delete(id);
    }
    const known = new Set(view.containers.map(({ id }) => id));
    for (const map of [this.#lastWords, this.#resources]) {
      for (const id of map.keys()) if (!known.has(id)) map.delete(id);
    }
  }

  stop(): void {
    for (const probes of this.#probes.values()) probes.stop();
    this.#probes.clear();
  }

  #probe(pod: Pod, container: PodContainer, run: ContainerView, view: PodView): void {
    const { clock, logger, cri, metrics, recordEvent, nodeIps } = this.#context;
    const { spec, role } = container;
    const probed = role === 'main' || role === 'sidecar';
    const known = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
      (status) => status.containerID === `containerd://${run.id}`,
    );
    const podIp = (pod.spec?.hostNetwork ? nodeIps[0] : currentSandbox(view)?.ips[0]) ?? '';
    const probes: ContainerProbes = new ContainerProbes({
      probes: probed
        ? { startup: spec.startupProbe, liveness: spec.livenessProbe, readiness: spec.readinessProbe }
        : {},
      startedAtMs: run.startedAtMs,
      before: { started: known?.started ?? false, ready: known?.ready ?? false },
      check: (probe) =>
        runProbe(probe, {
          cri,
          containerId: run.id,
          container: spec,
          podIp,
          timeoutMs: (probe.timeoutSeconds ?? 1) * 1000,
        }).then((outcome) => {
          const kind =
            probe === spec.livenessProbe ? 'liveness' : probe === spec.startupProbe ? 'startup' : 'readiness';
          metrics.probeChecks.inc([kind, outcome ? (outcome.success ? 'success' : 'failure') : 'unknown']);
          return outcome;
        }),
      changed: () => {
        const { failed } = probes;
        if (failed) {
          const probe = failed === 'startup' ? spec.startupProbe : spec.livenessProbe;
          this.#killReasons.set(run.id, {
            message: `Container ${spec.name} failed ${failed} probe, will be restarted`,
            graceSeconds: probe?.terminationGracePeriodSeconds,
          });
        }
        this.#changed();
      },
      unhealthy: (kind, output) =>
        recordEvent(pod, {
          type: 'Warning',
          reason: 'Unhealthy',
          message: `${PROBE_TITLES[kind]} probe failed: ${output}`,
          fieldPath: containerFieldPath(container),
        }),
      clock,
      logger,
    });
    this.#probes.set(run.id, probes);
  }
}
