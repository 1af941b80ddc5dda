import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Backoff, type Logger, messageOf, type Running, runInBackground } from '@ballast/base';
import { isApiError, PODS, type Pod } from '@ballast/kube';
import { removePodCgroup } from '../cgroup.ts';
import { removeLogs } from '../log/rotate-logs.ts';
import { removeVolumes } from '../volume/pod-volumes.ts';
import { containerResources, resourcesText } from './cgroup-resources.ts';
import { containerLogPath, podCgroup, podLogFolder, type SandboxConfig, sandboxConfig } from './container-config.ts';
import { findContainer } from './containers-of-pod.ts';
import { type Action, type Plan, planPod } from './plan.ts';
import type { PodContext } from './pod-context.ts';
import { currentSandbox, EMPTY_VIEW, latestByName, type PodView } from './pod-view.ts';
import { resolverConfig } from './resolver-config.ts';
import { goDuration } from './restart.ts';
import { RunFacts } from './run-facts.ts';
import { graceSecondsOf, startContainer, terminationLog } from './start-container.ts';
import { podStatus } from './status.ts';
import { StatusWriter } from './status-writer.ts';
import { removeFromRuntime, stopContainer, stopPod, stopRun } from './stop-pod.ts';
import { readTerminationMessage } from './termination-message.ts';
import { VolumeKeeper } from './volume-keeper.ts';

/** A pod at rest is looked at this often even if nothing seems to have happened. */
const RESYNC_MS = 60_000;
const DISPOSE_MS = 500;
/** A plan whose actions never lead to rest is a bug; the worker then takes a breath. */
const MAX_ROUNDS = 100;

export interface PodFailure {
  readonly reason: string;
  readonly message: string;
}

/**
 * Makes one pod of this node be what the API says: reads the runtime, plans, acts, and reports, whenever something has changed. It ends
 * when the pod is gone from the API and from the node.
 */
export class PodWorker {
  readonly uid: string;
  readonly #context: PodContext;
  readonly #logger: Logger;
  readonly #facts: RunFacts;
  readonly #status: StatusWriter;
  readonly #volumes: VolumeKeeper;
  readonly #running: Running;
  readonly #firstSeenMs: number;
  #pod: Pod;
  #view: PodView = EMPTY_VIEW;
  #failure: PodFailure | undefined;
  /** The object is gone from the API: nobody waits for a status any more. */
  #removed = false;
  #stopping = new Map<string, number>();
  #woken = false;
  #wake: () => void = () => {};
  #wasReady = false;

  constructor(context: PodContext, pod: Pod, options: { failure?: PodFailure | undefined } = {}) {
    this.uid = pod.metadata.uid ?? '';
    this.#context = context;
    this.#pod = pod;
    this.#failure = options.failure;
    this.#logger = context.logger.child({ pod: `${pod.metadata.namespace}/${pod.metadata.name}` });
    this.#facts = new RunFacts(context, () => this.wake());
    const changed = () => {
      this.#facts.releaseHolds();
      this.wake();
    };
    this.#volumes = new VolumeKeeper({ context, uid: this.uid, logger: this.#logger, changed });
    this.#firstSeenMs = context.clock.monotonicMs();
    const { client, clock } = context;
    const wrote = () => context.metrics.statusWrites.inc();
    this.#status = new StatusWriter({ client, clock, logger: this.#logger, wrote });
    this.#running = runInBackground((signal) => this.#run(signal));
  }

  get pod(): Pod {
    return this.#pod;
  }

  get view(): PodView {
    return this.#view;
  }

  /** Resolves when the pod is gone from this node (or the worker was disposed). */
  get done(): Promise<void> {
    return this.#running.done;
  }

  update(pod: Pod): void {
    const before = graceSecondsOf(this.#pod);
    const { labels, annotations } = this.#pod.metadata;
    // Labels and annotations can be files of a downward API volume.
    if (
      !isDeepStrictEqual(
        { labels, annotations },
        { labels: pod.metadata.labels, annotations: pod.metadata.annotations },
      )
    ) {
      this.#volumes.outdate();
    }
    // Our own status comes back this way too, and must not end the waits that it tells of.
    const isOther = pod.metadata.generation === undefined || pod.metadata.generation !== this.#pod.metadata.generation;
    this.#pod = pod;
    const grace = graceSecondsOf(pod);
    // A second, more impatient deletion shortens stops that are under way.
    if (pod.metadata.deletionTimestamp !== undefined && grace < before) this.#hurry(grace);
    if (isOther) this.#facts.releaseHolds();
    this.wake();
  }

  /** The pod is gone from the API, by force or because its node was thought dead. */
  remove(): void {
    this.#removed = true;
    this.wake();
  }

  wake(): void {
    this.#woken = true;
    this.#wake();
  }

  /** Stops the worker; the pod goes on running. A container that is being stopped may take its grace period: nobody waits for that here. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#facts.stop();
    this.#status.stop();
    this.#context.objects.release(this.uid);
    await Promise.race([this.#running[Symbol.asyncDispose](), this.#context.clock.sleep(DISPOSE_MS)]);
  }

  #hurry(graceSeconds: number): void {
    for (const id of this.#stopping.keys()) {
      stopRun(this.#context, id, graceSeconds).catch((error: unknown) =>
        this.#logger.warn('container not stopped', { error: messageOf(error) }),
      );
    }
  }

  async #run(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff({ minMs: 200, maxMs: 10_000 });
    while (!signal.aborted) {
      this.#woken = false;
      let nextMs: number;
      try {
        const next = await this.#sync(signal);
        if (next === 'gone') return;
        nextMs = next;
        backoff.reset();
      } catch (error) {
        if (signal.aborted) return;
        this.#logger.warn('pod sync failed, trying again', { error });
        nextMs = backoff.next();
      }
      await this.#rest(nextMs, signal);
    }
  }

  /** Waits until something happens, but at most `ms`. */
  #rest(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (this.#woken || signal.aborted) return resolve();
      const finish = () => {
        timer[Symbol.dispose]();
        signal.removeEventListener('abort', finish);
        this.#wake = () => {};
        resolve();
      };
      const timer = this.#context.clock.timer(ms, finish);
      signal.addEventListener('abort', finish, { once: true });
      this.#wake = finish;
    });
  }

  /** One pass; returns after how many ms the next one is due even if nothing happens. */
  async #sync(signal: AbortSignal): Promise<number | 'gone'> {
    const { clock } = this.#context;
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      if (signal.aborted) return 0;
      this.#view = await this.#context.runtime.podView(this.uid);
      this.#facts.follow(this.#pod, this.#view);
      await this.#readLastWords();
      this.#checkDeadline();
      const nowMs = clock.nowMs();
      const mustEnd = this.#removed || this.#failure !== undefined;
      const plan = planPod({ pod: this.#pod, view: this.#view, facts: this.#facts, nowMs, mustEnd });
      this.#noteBackOff(plan);
      if (plan.actions.length > 0) {
        void this.#report(plan);
        await this.#act(plan.actions);
        continue;
      }
      if (plan.finished && (this.#pod.metadata.deletionTimestamp !== undefined || this.#removed)) {
        await this.#finish(plan);
        return 'gone';
      }
      void this.#report(plan);
      if (!plan.finished) await this.#volumes.refresh(this.#pod, currentSandbox(this.#view));
      const due = Math.min(Number.POSITIVE_INFINITY, ...plan.backingOff.values()) - nowMs;
      return Math.max(0, Math.min(due, this.#deadlineInMs() ?? RESYNC_MS, RESYNC_MS));
    }
    this.#logger.error('pod does not come to rest');
    return 1000;
  }

  #deadlineInMs(): number | undefined {
    const seconds = this.#pod.spec?.activeDeadlineSeconds;
    const start = this.#pod.status?.startTime;
    if (seconds === undefined || start === undefined || this.#failure) return undefined;
    return Math.max(0, Date.parse(start) + seconds * 1000 - this.#context.clock.nowMs());
  }

  #checkDeadline(): void {
    if (this.#deadlineInMs() !== 0 || ['Succeeded', 'Failed'].includes(this.#pod.status?.phase ?? '')) return;
    const message = 'Pod was active on the node longer than the specified deadline';
    this.#failure = { reason: 'DeadlineExceeded', message };
    this.#context.recordEvent(this.#pod, { type: 'Normal', reason: 'DeadlineExceeded', message });
  }

  /** Writes the status that follows from what is known now. */
  #report(plan: Plan): Promise<void> {
    if (this.#removed) return Promise.resolve();
    const { clock, nodeIps, metrics } = this.#context;
    const finished = plan.finished && !plan.actions.some((action) => action.kind === 'stop-pod');
    const status = podStatus({
      pod: this.#pod,
      view: this.#view,
      facts: this.#facts,
      nodeIps,
      nowMs: clock.nowMs(),
      finished,
      failure: this.#failure,
    });
    const written = this.#status.write(this.#pod, status);
    const ready = status.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
    if (ready && !this.#wasReady) {
      this.#wasReady = true;
      const adopted = this.#pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True');
      if (!adopted) {
        void written.then(() => metrics.podStartSeconds.observe((clock.monotonicMs() - this.#firstSeenMs) / 1000));
      }
    }
    return written;
  }

  #noteBackOff(plan: Plan): void {
    const latest = latestByName(this.#view);
    for (const name of plan.backingOff.keys()) {
      const last = latest.get(name);
      if (last?.state !== 'exited' || this.#facts.waiting(name)) continue;
      const { name: podName, namespace } = this.#pod.metadata;
      const where = `container=${name} pod=${podName}_${namespace}(${this.uid})`;
      const delay = goDuration(this.#facts.backoff.delayMs(name));
      this.#facts.setWaiting(name, 'CrashLoopBackOff', `back-off ${delay} restarting failed ${where}`);
      this.#context.recordEvent(this.#pod, {
        type: 'Warning',
        reason: 'BackOff',
        message: `Back-off restarting failed container ${name} in pod ${podName}_${namespace}(${this.uid})`,
        fieldPath: `spec.containers{${name}}`,
      });
    }
  }

  async #readLastWords(): Promise<void> {
    const { logDir } = this.#context;
    for (const run of this.#view.containers) {
      if (run.state !== 'exited' || this.#facts.hasTerminationMessage(run.id)) continue;
      const policy = findContainer(this.#pod, run.name)?.spec.terminationMessagePolicy;
      const text = await readTerminationMessage({
        file: terminationLog(this.#context, this.#pod, run.name, run.attempt),
        logFile: join(logDir, podLogFolder(this.#pod), containerLogPath(run.name, run.attempt)),
        fallBackToLogs: policy === 'FallbackToLogsOnError' && run.exitCode !== 0,
      });
      this.#facts.setTerminationMessage(run.id, text);
    }
  }

  async #act(actions: readonly Action[]): Promise<void> {
    const { cri } = this.#context;
    for (const action of actions) {
      // What was planned before a deletion came in is not started any more.
      const ending = this.#pod.metadata.deletionTimestamp !== undefined || this.#removed;
      switch (action.kind) {
        case 'stop-pod':
          await this.#stopPod(action.why);
          break;
        case 'create-sandbox':
          if (ending || !(await this.#createSandbox(action.attempt))) return;
          break;
        case 'start':
          if (ending || !(await this.#start(action))) return;
          break;
        case 'kill': {
          const { run, reason } = action;
          const graceSeconds = reason.graceSeconds ?? this.#pod.spec?.terminationGracePeriodSeconds ?? 30;
          const common = { context: this.#context, pod: this.#pod, view: this.#view };
          await stopContainer({ ...common, run, graceSeconds, message: reason.message });
          break;
        }
        case 'resize': {
          const { run, container } = action;
          const { nodeMemoryBytes } = this.#context;
          const linux = containerResources({ pod: this.#pod, container: container.spec, nodeMemoryBytes });
          await cri.updateContainerResources({ containerId: run.id, linux });
          this.#facts.setAppliedResources(run.id, resourcesText(container.spec));
          break;
        }
        case 'remove': {
          await cri.removeContainer({ containerId: action.run.id });
          const { podsDir, logDir } = this.#context;
          const { name, attempt } = action.run;
          await rm(join(podsDir, this.uid, 'containers', name, String(attempt)), { force: true });
          await removeLogs(join(logDir, podLogFolder(this.#pod), containerLogPath(name, attempt)));
          break;
        }
        default:
          action satisfies never;
      }
    }
  }

  async #stopPod(why: 'deleted' | 'finished' | 'sandbox-changed'): Promise<void> {
    if (why === 'sandbox-changed') {
      const message = 'Pod sandbox changed, it will be killed and re-created.';
      this.#context.recordEvent(this.#pod, { type: 'Normal', reason: 'SandboxChanged', message });
    }
    const graceSeconds = graceSecondsOf(this.#pod);
    const stopping = (run: { id: string }) => this.#stopping.set(run.id, graceSeconds);
    try {
      await stopPod({ context: this.#context, pod: this.#pod, view: this.#view, graceSeconds, stopping });
    } finally {
      this.#stopping.clear();
    }
  }

  #sandboxConfig(attempt: number): SandboxConfig {
    const { logDir, cgroupRoot, clusterDns, clusterDomain, nodeResolver, seccompDir } = this.#context;
    const resolver = resolverConfig({ pod: this.#pod, node: nodeResolver, clusterDns, clusterDomain });
    return sandboxConfig({ pod: this.#pod, attempt, logDir, cgroupRoot, resolver, clusterDomain, seccompDir });
  }

  async #createSandbox(attempt: number): Promise<boolean> {
    await this.#volumes.prepare(this.#pod, currentSandbox(this.#view));
    try {
      await this.#context.cri.runPodSandbox({ config: this.#sandboxConfig(attempt) }, { timeoutMs: 240_000 });
      return true;
    } catch (error) {
      const message = `Failed to create pod sandbox: ${messageOf(error)}`;
      this.#context.recordEvent(this.#pod, { type: 'Warning', reason: 'FailedCreatePodSandBox', message });
      throw error;
    }
  }

  async #start(action: Extract<Action, { kind: 'start' }>): Promise<boolean> {
    const sandbox = currentSandbox(this.#view);
    if (!sandbox) return false;
    await this.#volumes.prepare(this.#pod, currentSandbox(this.#view));
    const { spec } = action.container;
    const target = 'targetContainerName' in spec ? spec.targetContainerName : undefined;
    await startContainer({
      context: this.#context,
      pod: this.#pod,
      sandbox,
      sandboxConfig: this.#sandboxConfig(sandbox.attempt),
      action,
      volumes: this.#volumes.places,
      config: this.#volumes.config(this.#pod),
      facts: this.#facts,
      targetId: target === undefined ? undefined : latestByName(this.#view).get(target)?.id,
    });
    return true;
  }

  /** Nothing runs any more: the last word to the API, then everything goes. */
  async #finish(plan: Plan): Promise<void> {
    const { client, volumeDirs, podsDir, cgroupRoot, tokens, images, objects, logDir } = this.#context;
    this.#facts.stop();
    await this.#report(plan);
    await removeVolumes(volumeDirs, this.uid);
    if (!this.#removed) {
      const { namespace, name } = this.#pod.metadata;
      const preconditions = { uid: this.uid };
      try {
        await client.delete(PODS, { namespace, name }, { gracePeriodSeconds: 0, preconditions });
      } catch (error) {
        if (!isApiError(error, 'NotFound', 'Conflict')) throw error;
      }
    }
    await removeFromRuntime(this.#context, this.#view);
    await removePodCgroup(podCgroup(cgroupRoot, this.#pod));
    await rm(join(podsDir, this.uid), { recursive: true, force: true });
    await rm(join(logDir, podLogFolder(this.#pod)), { recursive: true, force: true });
    tokens.forget(this.uid);
    images.forget(this.uid);
    objects.release(this.uid);
  }
}
