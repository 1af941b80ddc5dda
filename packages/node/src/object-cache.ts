import type { Clock, Logger } from '@ballast/base';
import {
  CONFIG_MAPS,
  type ConfigMap,
  type Informer,
  type KubeClient,
  type KubeObject,
  type Resource,
  SECRETS,
  type Secret,
  startInformer,
} from '@ballast/kube';

interface Entry<T extends KubeObject> {
  readonly informer: Informer<T>;
  readonly users: Map<string, () => void>;
}

/**
 * Local copies of single objects (ConfigMaps, Secrets), each with its own watch for as long as a pod of this node refers to it. A node
 * never reads what none of its pods needs.
 */
class SingleObjects<T extends KubeObject> {
  readonly #resource: Resource<T>;
  readonly #options: { client: KubeClient; logger: Logger; clock: Clock };
  readonly #entries = new Map<string, Entry<T>>();

  constructor(resource: Resource<T>, options: { client: KubeClient; logger: Logger; clock: Clock }) {
    this.#resource = resource;
    this.#options = options;
  }

  /** Makes `user` a user of exactly these objects of a namespace; `changed` is called when one of them changes. */
  async use(user: string, namespace: string, names: ReadonlySet<string>, changed: () => void): Promise<void> {
    for (const [key, entry] of this.#entries) {
      if (entry.users.has(user) && !names.has(key.slice(namespace.length + 1))) this.#release(key, entry, user);
    }
    const waits: Promise<void>[] = [];
    for (const name of names) {
      const key = `${namespace}/${name}`;
      let entry = this.#entries.get(key);
      if (!entry) {
        const users = new Map<string, () => void>();
        const { client, logger, clock } = this.#options;
        const fieldSelector = `metadata.name=${name}`;
        const informer = startInformer(client, this.#resource, { namespace, fieldSelector, logger, clock });
        informer.onChange(() => {
          for (const notify of users.values()) notify();
        });
        entry = { informer, users };
        this.#entries.set(key, entry);
      }
      entry.users.set(user, changed);
      waits.push(entry.informer.synced);
    }
    await Promise.all(waits);
  }

  get(namespace: string, name: string): T | undefined {
    return this.#entries.get(`${namespace}/${name}`)?.informer.get(`${namespace}/${name}`);
  }

  release(user: string): void {
    for (const [key, entry] of this.#entries) if (entry.users.has(user)) this.#release(key, entry, user);
  }

  #release(key: string, entry: Entry<T>, user: string): void {
    entry.users.delete(user);
    if (entry.users.size > 0) return;
    this.#entries.delete(key);
    void entry.informer[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all(entries.map((entry) => entry.informer[Symbol.asyncDispose]()));
  }
}

/** The ConfigMaps and Secrets that pods of this node use. */
export class ObjectCache {
  readonly configMaps: SingleObjects<ConfigMap>;
  readonly secrets: SingleObjects<Secret>;

  constructor(options: { client: KubeClient; logger: Logger; clock: Clock }) {
    this.configMaps = new SingleObjects(CONFIG_MAPS, options);
    this.secrets = new SingleObjects(SECRETS, options);
  }

  release(user: string): void {
    this.configMaps.release(user);
    this.secrets.release(user);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.configMaps[Symbol.asyncDispose]();
    await this.secrets[Symbol.asyncDispose]();
  }
}
