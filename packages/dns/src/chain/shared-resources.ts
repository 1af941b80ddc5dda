import { type Logger, messageOf } from '@ballast/base';

/** Names one sort of shared thing and carries its type. */
export interface SharedKind<T extends AsyncDisposable> {
  readonly name: string;
  readonly valueType?: T;
}

export interface Lease<T> {
  readonly value: T;
  release(): Promise<void>;
}

interface Entry {
  readonly value: AsyncDisposable;
  holders: number;
}

/**
 * Things that outlive one configuration: a cache, the watch on the API server, an HTTP listener. A reload takes its lease on them before
 * the old configuration lets go of its own, so they pass from one to the other; the last holder's release disposes of them.
 */
export class SharedResources {
  readonly #entries = new Map<string, Entry>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** The thing of this kind and identity, created when nobody holds it. */
  acquire<T extends AsyncDisposable>(kind: SharedKind<T>, identity: string, create: () => T): Lease<T> {
    const key = `${kind.name} ${identity}`;
    let entry = this.#entries.get(key);
    if (!entry) {
      entry = { value: create(), holders: 0 };
      this.#entries.set(key, entry);
    }
    entry.holders += 1;
    return this.#lease(kind, key, entry);
  }

  #lease<T extends AsyncDisposable>(_kind: SharedKind<T>, key: string, entry: Entry): Lease<T> {
    let released = false;
    return {
      // Entries are made and read under the same kind, which fixes their type.
      value: entry.value as T,
      release: async () => {
        if (released) return;
        released = true;
        entry.holders -= 1;
        if (entry.holders > 0) return;
        this.#entries.delete(key);
        try {
          await entry.value[Symbol.asyncDispose]();
        } catch (error) {
          this.#logger.warn('cannot dispose of a shared resource', { resource: key, error: messageOf(error) });
        }
      },
    };
  }
}
