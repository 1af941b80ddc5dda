import { type Logger, messageOf } from '@ballast/base';
import type { Pod } from '@ballast/kube';
import { prepareVolumes, VolumeError } from '../volume/pod-volumes.ts';
import type { ConfigLookup } from './environment.ts';
import type { PodContext } from './pod-context.ts';
import type { SandboxView } from './pod-view.ts';
import { referencedObjects } from './referenced-objects.ts';
import { downwardContext } from './start-container.ts';

/** Volumes are brought up to date at least this often (tokens age); changes of ConfigMaps and Secrets come at once. */
const REFRESH_MS = 60_000;

/** The volumes of one pod, and the ConfigMaps and Secrets that it refers to. */
export class VolumeKeeper {
  readonly #context: PodContext;
  readonly #uid: string;
  readonly #logger: Logger;
  readonly #changed: () => void;
  #places: ReadonlyMap<string, string> | undefined;
  #atMs = Number.NEGATIVE_INFINITY;

  /** `changed` is called when an object that the pod refers to has changed. */
  constructor(options: { context: PodContext; uid: string; logger: Logger; changed: () => void }) {
    this.#context = options.context;
    this.#uid = options.uid;
    this.#logger = options.logger;
    this.#changed = options.changed;
  }

  /** Where the volumes are on the node; empty before `prepare`. */
  get places(): ReadonlyMap<string, string> {
    return this.#places ?? new Map();
  }

  /** The content of the files may be out of date. */
  outdate(): void {
    this.#atMs = Number.NEGATIVE_INFINITY;
  }

  config(pod: Pod): ConfigLookup {
    const { objects } = this.#context;
    const namespace = pod.metadata.namespace ?? '';
    return {
      configMap: (name) => objects.configMaps.get(namespace, name),
      secret: (name) => objects.secrets.get(namespace, name),
    };
  }

  /** Sets the volumes up unless they are. Throws VolumeError after an event that says what is missing. */
  async prepare(pod: Pod, sandbox: SandboxView | undefined): Promise<void> {
    if (!this.#places) this.#places = await this.#setUp(pod, sandbox);
  }

  /** Brings the files of a running pod up to date when it is time; a failure leaves the old ones, which are better than none. */
  async refresh(pod: Pod, sandbox: SandboxView | undefined): Promise<void> {
    const nowMs = this.#context.clock.monotonicMs();
    if (nowMs - this.#atMs < REFRESH_MS || !sandbox) return;
    this.#atMs = nowMs;
    try {
      this.#places = await this.#setUp(pod, sandbox);
    } catch (error) {
      this.#logger.warn('volumes not refreshed', { error: messageOf(error) });
    }
  }

  async #setUp(pod: Pod, sandbox: SandboxView | undefined): Promise<ReadonlyMap<string, string>> {
    const beganMs = this.#context.clock.monotonicMs();
    await this.#follow(pod);
    const context = {
      pod,
      downward: downwardContext(this.#context, pod, sandbox),
      config: this.config(pod),
      token: (wish: { audience: string | undefined; expirationSeconds: number }) => this.#context.tokens.get(pod, wish),
    };
    try {
      const places = await prepareVolumes({ pod, dirs: this.#context.volumeDirs, context });
      this.#atMs = beganMs;
      return places;
    } catch (error) {
      if (error instanceof VolumeError) {
        this.#context.recordEvent(pod, { type: 'Warning', reason: 'FailedMount', message: error.message });
      }
      throw error;
    }
  }

  async #follow(pod: Pod): Promise<void> {
    const { configMaps, secrets } = referencedObjects(pod);
    const { objects } = this.#context;
    const namespace = pod.metadata.namespace ?? '';
    const changed = () => {
      this.outdate();
      this.#changed();
    };
    await Promise.all([
      objects.configMaps.use(this.#uid, namespace, configMaps, changed),
      objects.secrets.use(this.#uid, namespace, secrets, changed),
    ]);
  }
}
