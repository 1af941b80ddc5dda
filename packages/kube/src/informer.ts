import type { Running } from '@ballast/base';
import type { KubeObject } from './meta.ts';

/** What an informer saw. `previous` is absent for additions, `object` is the last known state for deletions. */
export type InformerEvent<T> =
  | { readonly type: 'added'; readonly object: T }
  | { readonly type: 'modified'; readonly object: T; readonly previous: T }
  | { readonly type: 'deleted'; readonly object: T };

/**
 * A local copy of a collection, kept current by list and watch; it reconnects and relists by itself, forever. Objects are shared: never
 * change them.
 */
export interface Informer<T extends KubeObject> extends Running {
  /** Resolves when the first full list has been delivered to all handlers. */
  readonly synced: Promise<void>;
  /** By key, see keyOf. */
  get(key: string): T | undefined;
  list(): Iterable<T>;
  /** Objects for which `indexes[name]` gave `value`. */
  byIndex(name: string, value: string): Iterable<T>;
  /** Calls `handler` for every object known now (as additions) and for every later change, in order. */
  onChange(handler: (event: InformerEvent<T>) => void): void;
  /** Milliseconds (monotonic) since the server was last heard of; consumers can tell stale data. */
  readonly silentMs: number;
}
