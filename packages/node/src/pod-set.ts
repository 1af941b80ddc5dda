import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Logger, messageOf, type Running, runInBackground } from '@ballast/base';
import { type Informer, isPodTerminal, type Pod } from '@ballast/kube';
import { removePodCgroup } from './cgroup.ts';
import { refusalOf } from './pod/admission.ts';
import type { PodContext } from './pod/pod-context.ts';
import { PodWorker } from './pod/pod-worker.ts';
import { removeFromRuntime, stopRun } from './pod/stop-pod.ts';
import type { RuntimePod } from './runtime-reader.ts';
import { podsWithVolumes, removeVolumes } from './volume/pod-volumes.ts';

/** Fallback when the runtime's event stream is silent or absent. */
const RELIST_MS = 1000;
/** The runtime tells of an exit some time before its own record of it is updated: waits between looks after an event. */
const AFTER_EVENT_MS = [10, 20, 50, 100, 200];
const ORPHAN_GRACE_SECONDS = 30;

/** All pods of this node: one worker for each, woken by changes in the API and in the runtime. */
export class PodSet {
  readonly #context: PodContext;
  readonly #logger: Logger;
  readonly #workers = new Map<string, PodWorker>();
  readonly #fingerprints = new Map<string, string>();
  readonly #orphans = new Set<string>();
  #running: Running | undefined;
  #poked = false;
  #wake: () => void = () => {};

  constructor(context: PodContext) {
    this.#context = context;
    this.#logger = context.logger;
  }

  /** Begins with what the informer knows; call when it has synced. */
  start(pods: Informer<Pod>): void {
    pods.onChange((event) => {
      const { object } = event;
      const worker = this.#workers.get(object.metadata.uid ?? '');
      if (event.type === 'deleted') worker?.remove();
      else if (worker) worker.update(object);
      else this.#add(object);
    });
    this.#running = runInBackground((signal) => this.#followRuntime(signal));
  }

  get(namespace: string, name: string): PodWorker | undefined {
    for (const worker of this.#workers.values()) {
      const { metadata } = worker.pod;
      if (metadata.namespace === namespace && metadata.name === name) return worker;
    }
    return undefined;
  }

  list(): Iterable<PodWorker> {
    return this.#workers.values();
  }

  /** The runtime says that something happened. */
  poke(): void {
    this.#poked = true;
    this.#wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.[Symbol.asyncDispose]();
    await Promise.all([...this.#workers.values()].map((worker) => worker[Symbol.asyncDispose]()));
  }

  #add(pod: Pod): void {
    const uid = pod.metadata.uid ?? '';
    // A pod that was taken on before (it has a start time) is never refused any more.
    const isNew = pod.status?.startTime === undefined && pod.metadata.deletionTimestamp === undefined;
    const others = [...this.#workers.values()].map((worker) => worker.pod).filter((other) => !isPodTerminal(other));
    const failure = isNew ? refusalOf(pod, others, this.#context.allocatable) : undefined;
    if (failure) this.#context.recordEvent(pod, { type: 'Warning', ...failure });
    const worker = new PodWorker(this.#context, pod, { failure });
    this.#workers.set(uid, worker);
    this.#context.metrics.pods.set(this.#workers.size);
    void worker.done
      .catch((error: unknown) => this.#logger.error('pod worker failed', { uid, error }))
      .then(() => {
        if (this.#workers.get(uid) === worker) this.#workers.delete(uid);
        this.#fingerprints.delete(uid);
        this.#context.metrics.pods.set(this.#workers.size);
      });
  }

  async #followRuntime(signal: AbortSignal): Promise<void> {
    const { clock } = this.#context;
    await this.#removeOldFolders();
    let soon: number[] = [];
    while (!signal.aborted) {
      const early = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      if (this.#poked) soon = [...AFTER_EVENT_MS];
      this.#poked = false;
      try {
        await this.#relist();
      } catch (error) {
        this.#logger.warn('runtime not read, trying again', { error: messageOf(error) });
      }
      await Promise.race([clock.sleep(soon.shift() ?? RELIST_MS, signal), early]);
    }
  }

  async #relist(): Promise<void> {
    const pods = await this.#context.runtime.pods();
    for (const [uid, pod] of pods) {
      const worker = this.#workers.get(uid);
      if (!worker) this.#removeOrphan(pod);
      else if (this.#fingerprints.get(uid) !== pod.fingerprint) {
        this.#fingerprints.set(uid, pod.fingerprint);
        worker.wake();
      }
    }
    for (const uid of this.#fingerprints.keys()) {
      if (pods.has(uid)) continue;
      this.#fingerprints.delete(uid);
      this.#workers.get(uid)?.wake();
    }
  }

  /** A pod that is in the runtime but not in the API: deleted while this agent was away. */
  #removeOrphan(pod: RuntimePod): void {
    if (this.#orphans.has(pod.uid)) return;
    this.#orphans.add(pod.uid);
    const remove = async () => {
      this.#logger.info('removing a pod that is no longer in the API', { pod: `${pod.namespace}/${pod.name}` });
      const view = await this.#context.runtime.podView(pod.uid);
      const running = view.containers.filter((run) => run.state === 'running');
      await Promise.all(running.map((run) => stopRun(this.#context, run.id, ORPHAN_GRACE_SECONDS)));
      await removeFromRuntime(this.#context, await this.#context.runtime.podView(pod.uid));
      await removeVolumes(this.#context.volumeDirs, pod.uid);
      const { cgroupRoot, logDir } = this.#context;
      await rm(join(logDir, `${pod.namespace}_${pod.name}_${pod.uid}`), { recursive: true, force: true });
      for (const parent of ['', '/burstable', '/besteffort'])
        await removePodCgroup(`${cgroupRoot}${parent}/pod${pod.uid}`);
    };
    remove()
      .catch((error: unknown) => this.#logger.warn('pod not removed', { error: messageOf(error), uid: pod.uid }))
      .finally(() => this.#orphans.delete(pod.uid));
  }

  async #removeOldFolders(): Promise<void> {
    const { volumeDirs, runtime, logDir } = this.#context;
    const live = await runtime.pods();
    for (const uid of await podsWithVolumes(volumeDirs)) {
      if (!this.#workers.has(uid) && !live.has(uid)) await removeVolumes(volumeDirs, uid);
    }
    for (const folder of await readdir(logDir).catch(() => [])) {
      const uid = folder.slice(folder.lastIndexOf('_') + 1);
      if (!this.#workers.has(uid) && !live.has(uid)) await rm(join(logDir, folder), { recursive: true, force: true });
    }
  }
}
