import type { KubeList, KubeObject } from './meta.ts';
import type { Resource } from './resource.ts';

export interface ObjectRef {
  readonly namespace?: string | undefined;
  readonly name: string;
}

export interface ListOptions {
  /** Undefined lists over all namespaces. */
  readonly namespace?: string | undefined;
  /** In kubectl's syntax: 'app=web,tier in (a,b),!old'. */
  readonly labelSelector?: string | undefined;
  /** For example 'spec.nodeName=node-1'. */
  readonly fieldSelector?: string | undefined;
}

export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string; readonly initialEventsEnd: boolean };

/** JSON patch (RFC 6902), merge patch (RFC 7386), strategic merge patch, or server-side apply. */
export type Patch =
  | { readonly type: 'json'; readonly body: readonly unknown[] }
  | { readonly type: 'merge' | 'strategic'; readonly body: object }
  | { readonly type: 'apply'; readonly body: object; readonly fieldManager: string; readonly force?: boolean };

export interface WriteOptions {
  /** 'status', 'scale', 'binding', 'eviction', 'token', ... */
  readonly subresource?: string;
  readonly fieldManager?: string;
  readonly dryRun?: boolean;
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground';
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

/**
 * The Kubernetes API as Ballast's parts use it. Every failure of the API is an ApiError (see api-error.ts) with the server's Status; a
 * server that cannot be reached is an ApiError with code 'unreachable'.
 */
export interface KubeClient {
  get<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef): Promise<T>;
  /** Like get, but a missing object is undefined. */
  find<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef): Promise<T | undefined>;
  list<T extends KubeObject>(resource: Resource<T>, options?: ListOptions): Promise<KubeList<T>>;
  create<T extends KubeObject>(resource: Resource<T>, object: T, options?: WriteOptions): Promise<T>;
  /** Replaces; conflicts when metadata.resourceVersion is set and stale. */
  update<T extends KubeObject>(resource: Resource<T>, object: T, options?: WriteOptions): Promise<T>;
  patch<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef, patch: Patch, options?: WriteOptions): Promise<T>;
  /** Deleting what does not exist is an ApiError 'NotFound'. */
  delete<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef, options?: DeleteOptions): Promise<void>;
  /** GET of any path that is not an object, for example discovery ('/apis') or '/version'. Resolves with the parsed answer. */
  read(path: string): Promise<unknown>;
  /** POST of any body to a subresource or a review, for example 'binding' or 'token'. Resolves with the parsed answer. */
  post(path: string, body: object): Promise<unknown>;
  /**
   * Watches from `resourceVersion`; with `sendInitialEvents` the current objects come first, then a bookmark that says so. Ends when the
   * server closes it or the signal aborts; throws ApiError 'Expired' when the version is too old.
   */
  watch<T extends KubeObject>(
    resource: Resource<T>,
    options: ListOptions & {
      readonly resourceVersion?: string;
      readonly sendInitialEvents?: boolean;
      readonly signal: AbortSignal;
    },
  ): AsyncIterable<WatchEvent<T>>;
}
