import type { Clock, Logger } from '@ballast/base';
import {
  createClient,
  ENDPOINT_SLICES,
  type Informer,
  type KubeClient,
  type KubeObject,
  loadKubeconfig,
  NAMESPACES,
  PODS,
  type Resource,
  SERVICES,
  startInformer,
} from '@ballast/kube';
import { type IndexChange, ServiceIndex } from './service-index.ts';

export interface ClusterSourceOptions {
  readonly client: KubeClient | undefined;
  /** Path of a kubeconfig to use instead of `client`. */
  readonly kubeconfig: string | undefined;
  readonly watchPods: boolean;
  readonly watchEndpoints: boolean;
  readonly endpointPodNames: boolean;
  readonly labels: string | undefined;
  readonly namespaceLabels: string | undefined;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** One server block that answers from a source. */
export interface ClusterListener {
  changed(change: IndexChange): void;
  /** An EndpointSlice has arrived after the first sync, this long after what caused it. */
  programmed(seconds: number): void;
}

const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';
const CONNECT_RETRY_MS = 5000;

/** The index of a cluster, kept current by watches. While the API server is away it keeps what it last knew. */
export class ClusterSource implements AsyncDisposable {
  readonly index: ServiceIndex;
  readonly #options: ClusterSourceOptions;
  readonly #informers: Informer<KubeObject>[] = [];
  readonly #stopped = new AbortController();
  readonly #started: Promise<void>;
  #ownClient: (KubeClient & AsyncDisposable) | undefined;
  #isSynced = false;
  #changedAtMs: number;
  readonly #listeners = new Set<ClusterListener>();

  constructor(options: ClusterSourceOptions) {
    this.#options = options;
    this.#changedAtMs = options.clock.nowMs();
    this.index = new ServiceIndex({
      endpointPodNames: options.endpointPodNames,
      onChange: (change) => {
        this.#changedAtMs = options.clock.nowMs();
        for (const listener of this.#listeners) listener.changed(change);
      },
    });
    this.#started = this.#start();
    this.#started.catch(() => {});
  }

  subscribe(listener: ClusterListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** Whether everything was seen once. Stays so when the API server goes away. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Unix second of the last change that DNS can show: the zone's serial. */
  get serial(): number {
    return Math.floor(this.#changedAtMs / 1000);
  }

  /** Milliseconds since the API server was last heard of. */
  get silentMs(): number {
    return Math.max(0, ...this.#informers.map((informer) => informer.silentMs));
  }

  /** Resolves when synced; never rejects. */
  async synced(): Promise<void> {
    await this.#started.catch(() => {});
    await Promise.all(this.#informers.map((informer) => informer.synced));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    await this.#started.catch(() => {});
    await Promise.all(this.#informers.map((informer) => informer[Symbol.asyncDispose]()));
    await this.#ownClient?.[Symbol.asyncDispose]();
  }

  async #start(): Promise<void> {
    const client = await this.#connect();
    if (!client) return;
    const { index } = this;
    const { labels, namespaceLabels, watchEndpoints, watchPods, clock } = this.#options;
    const follow = <T extends KubeObject>(
      resource: Resource<T>,
      labelSelector: string | undefined,
      on: { put: (object: T) => void; remove: (object: T) => void },
    ) => {
      const informer = startInformer(client, resource, { labelSelector, logger: this.#options.logger, clock });
      informer.onChange((event) => (event.type === 'deleted' ? on.remove(event.object) : on.put(event.object)));
      this.#informers.push(informer);
    };
    follow(NAMESPACES, namespaceLabels, {
      put: ({ metadata }) => index.putNamespace(metadata.name),
      remove: ({ metadata }) => index.removeNamespace(metadata.name),
    });
    follow(SERVICES, labels, {
      put: (service) => index.putService(service),
      remove: (service) => index.removeService(service),
    });
    if (watchEndpoints) {
      follow(ENDPOINT_SLICES, labels, {
        put: (slice) => {
          index.putSlice(slice);
          this.#reportProgrammed(slice);
        },
        remove: (slice) => index.removeSlice(slice),
      });
    }
    if (watchPods) {
      follow(PODS, labels, { put: (pod) => index.putPod(pod), remove: (pod) => index.removePod(pod) });
    }
    void Promise.all(this.#informers.map((informer) => informer.synced)).then(() => {
      this.#isSynced = true;
    });
  }

  /** A kubeconfig may not be there yet when the machine starts. */
  async #connect(): Promise<KubeClient | undefined> {
    const { client, kubeconfig, clock, logger } = this.#options;
    if (kubeconfig === undefined) return client;
    while (!this.#stopped.signal.aborted) {
      try {
        this.#ownClient = createClient(await loadKubeconfig(kubeconfig));
        return this.#ownClient;
      } catch (error) {
        logger.error('cannot use the kubeconfig; trying again', { path: kubeconfig, error });
        await clock.sleep(CONNECT_RETRY_MS, this.#stopped.signal).catch(() => {});
      }
    }
    return undefined;
  }

  #reportProgrammed({ metadata }: KubeObject): void {
    const trigger = Date.parse(metadata.annotations?.[TRIGGER_TIME] ?? '');
    if (this.#isSynced && trigger > 0) {
      const seconds = Math.max(0, (this.#options.clock.nowMs() - trigger) / 1000);
      for (const listener of this.#listeners) listener.programmed(seconds);
    }
  }
}
