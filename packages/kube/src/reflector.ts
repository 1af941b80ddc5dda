import { Backoff, type Clock, type Logger, runInBackground } from '@ballast/base';
import { isApiError } from './api-error.ts';
import type { KubeClient, ListOptions } from './client.ts';
import type { Informer, InformerEvent } from './informer.ts';
import { type KubeObject, keyOf } from './meta.ts';
import { apiVersionOf, type Resource } from './resource.ts';

export interface InformerOptions<T> extends ListOptions {
  /** Secondary indexes: from an object to the values under which byIndex finds it. */
  readonly indexes?: Readonly<Record<string, (object: T) => readonly string[]>>;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Starts a local copy of a collection; see Informer. */
export function startInformer<T extends KubeObject>(
  client: KubeClient,
  resource: Resource<T>,
  options: InformerOptions<T>,
): Informer<T> {
  const store = new IndexedStore<T>(options.indexes ?? {});
  const handlers: ((event: InformerEvent<T>) => void)[] = [];
  const synced = Promise.withResolvers<void>();
  const logger = options.logger.child({ resource: resource.plural });
  const { clock } = options;
  let heardMs = clock.monotonicMs();

  const emit = (event: InformerEvent<T>) => {
    for (const handler of handlers) {
      try {
        handler(event);
      } catch (error) {
        // One consumer's bug must not stop the copy, and with it every other consumer.
        logger.error('informer handler failed', { error, key: keyOf(event.object) });
      }
    }
  };
  const put = (object: T) => {
    // Often half of an object, and nobody's business but the server's: an update without them leaves them as they are.
    delete object.metadata.managedFields;
    const previous = store.put(object);
    if (!previous) emit({ type: 'added', object });
    else if (previous.metadata.resourceVersion !== object.metadata.resourceVersion)
      emit({ type: 'modified', object, previous });
  };
  const remove = (object: T) => {
    if (store.remove(keyOf(object))) emit({ type: 'deleted', object });
  };

  const relist = async (): Promise<string> => {
    const list = await client.list(resource, options);
    heardMs = clock.monotonicMs();
    const gone = new Set(store.keys());
    for (const object of list.items) {
      // Upstream leaves these out of list items; consumers (events, owner references) need them.
      object.apiVersion ??= apiVersionOf(resource);
      object.kind ??= resource.kind;
      const key = keyOf(object);
      // An object of the same name but another uid is another object: its predecessor's deletion was missed.
      const known = store.get(key);
      if (known && known.metadata.uid !== object.metadata.uid) remove(known);
      gone.delete(key);
      put(object);
    }
    for (const key of gone) {
      const object = store.get(key);
      if (object) remove(object);
    }
    synced.resolve();
    return list.metadata.resourceVersion ?? '';
  };

  const follow = async (from: string, signal: AbortSignal): Promise<string> => {
    let resourceVersion = from;
    for await (const event of client.watch(resource, { ...options, resourceVersion, signal })) {
      heardMs = clock.monotonicMs();
      if (event.type === 'BOOKMARK') {
        resourceVersion = event.resourceVersion;
        continue;
      }
      resourceVersion = event.object.metadata.resourceVersion ?? resourceVersion;
      if (event.type === 'DELETED') remove(event.object);
      else put(event.object);
    }
    return resourceVersion;
  };

  const running = runInBackground(async (signal) => {
    const backoff = new Backoff({ minMs: 50, maxMs: 5000 });
    let resourceVersion: string | undefined;
    while (!signal.aborted) {
      try {
        resourceVersion ??= await relist();
        const startedMs = clock.monotonicMs();
        resourceVersion = await follow(resourceVersion, signal);
        // A server that ends each watch at once must not be asked in a tight loop.
        if (clock.monotonicMs() - startedMs < 1000) await clock.sleep(backoff.next(), signal);
        else backoff.reset();
      } catch (error) {
        if (signal.aborted) return;
        if (isApiError(error, 'Expired', 'Gone')) {
          resourceVersion = undefined;
          logger.debug('watch expired, listing again');
        } else {
          // The server may have lost its memory (restored, replaced): a list is always right.
          resourceVersion = undefined;
          logger.warn('list or watch failed, trying again', { error });
        }
        await clock.sleep(backoff.next(), signal);
      }
    }
  });

  return {
    ...running,
    synced: synced.promise,
    get: (key) => store.get(key),
    list: () => store.list(),
    byIndex: (name, value) => store.byIndex(name, value),
    onChange(handler) {
      for (const object of store.list()) handler({ type: 'added', object });
      handlers.push(handler);
    },
    get silentMs() {
      return clock.monotonicMs() - heardMs;
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  };
}

/** Objects by key and by any number of secondary indexes. */
class IndexedStore<T extends KubeObject> {
  readonly #objects = new Map<string, T>();
  readonly #indexes: readonly {
    readonly name: string;
    readonly of: (object: T) => readonly string[];
    readonly keys: Map<string, Set<string>>;
  }[];

  constructor(indexes: Readonly<Record<string, (object: T) => readonly string[]>>) {
    this.#indexes = Object.entries(indexes).map(([name, of]) => ({ name, of, keys: new Map() }));
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  keys(): Iterable<string> {
    return this.#objects.keys();
  }

  list(): Iterable<T> {
    return this.#objects.values();
  }

  *byIndex(name: string, value: string): Iterable<T> {
    const index = this.#indexes.find((candidate) => candidate.name === name);
    if (!index) throw new Error(`no index '${name}' was declared`);
    for (const key of index.keys.get(value) ?? []) {
      const object = this.#objects.get(key);
      if (object) yield object;
    }
  }

  /** Returns what was there before. */
  put(object: T): T | undefined {
    const key = keyOf(object);
    const previous = this.#objects.get(key);
    if (previous) this.#unindex(key, previous);
    this.#objects.set(key, object);
    for (const index of this.#indexes) {
      for (const value of index.of(object)) {
        const keys = index.keys.get(value);
        if (keys) keys.add(key);
        else index.keys.set(value, new Set([key]));
      }
    }
    return previous;
  }

  remove(key: string): boolean {
    const object = this.#objects.get(key);
    if (!object) return false;
    this.#unindex(key, object);
    return this.#objects.delete(key);
  }

  #unindex(key: string, object: T): void {
    for (const index of this.#indexes) {
      for (const value of index.of(object)) {
        const keys = index.keys.get(value);
        keys?.delete(key);
        if (keys?.size === 0) index.keys.delete(value);
      }
    }
  }
}
