import { ApiError } from './api-error.ts';
import type { DeleteOptions, KubeClient, ListOptions, ObjectRef, Patch, WatchEvent, WriteOptions } from './client.ts';
import { type KubeList, type KubeObject, keyOf } from './meta.ts';
import { apiVersionOf, type Resource } from './resource.ts';
import { matchesRequirements, parseFieldSelector, parseLabelSelector } from './selectors.ts';

interface LogEntry {
  readonly resource: string;
  readonly revision: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
}

type Json = Record<string, unknown>;

/**
 * An API server's behaviour in memory, for tests of controllers: resource versions and conflicts, watches, label and field selectors,
 * generateName, generations, the status subresource, finalizers, and graceful deletion of scheduled pods. It knows no schema: nothing is
 * defaulted or validated, strategic merge and apply act as a merge patch, JSON patches are refused.
 */
export class FakeClient implements KubeClient {
  readonly #collections = new Map<string, Map<string, KubeObject>>();
  readonly #log: LogEntry[] = [];
  readonly #wakeUps = new Set<() => void>();
  #revision = 0;
  #names = 0;

  /** What `read` answers, by path. */
  readonly documents = new Map<string, unknown>();

  /** Every write so far, as 'verb plural key': what tests assert that a controller did and, above all, did not do. */
  readonly writes: string[] = [];

  async get<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef): Promise<T> {
    return structuredClone(this.#require(resource, ref));
  }

  async find<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef): Promise<T | undefined> {
    return structuredClone(this.#collection(resource).get(keyOf({ metadata: ref })) as T | undefined);
  }

  async list<T extends KubeObject>(resource: Resource<T>, options: ListOptions = {}): Promise<KubeList<T>> {
    const selected = selection(options);
    const items = [...this.#collection(resource).values()].filter(selected) as T[];
    return { metadata: { resourceVersion: String(this.#revision) }, items: structuredClone(items) };
  }

  async create<T extends KubeObject>(resource: Resource<T>, object: T, options: WriteOptions = {}): Promise<T> {
    if (options.subresource !== undefined) return this.#createSubresource(resource, object, options.subresource);
    const created: T = { apiVersion: apiVersionOf(resource), kind: resource.kind, ...structuredClone(object) };
    const { metadata } = created;
    metadata.name ||= `${metadata.generateName ?? ''}${(this.#names++).toString(36).padStart(5, 'x')}`;
    const key = keyOf(created);
    this.#wrote('create', resource, key);
    if (this.#collection(resource).has(key)) {
      throw new ApiError('AlreadyExists', `${resource.plural} "${metadata.name}" already exists`);
    }
    metadata.uid = `uid-${this.#revision + 1}`;
    metadata.creationTimestamp ??= new Date().toISOString();
    metadata.generation = 1;
    return this.#commit('ADDED', resource, created);
  }

  async update<T extends KubeObject>(resource: Resource<T>, object: T, options: WriteOptions = {}): Promise<T> {
    const current = this.#require(resource, object.metadata);
    this.#wrote(
      options.subresource === undefined ? 'update' : `update-${options.subresource}`,
      resource,
      keyOf(object),
    );
    const { resourceVersion } = object.metadata;
    if (resourceVersion !== undefined && resourceVersion !== current.metadata.resourceVersion) {
      throw new ApiError('Conflict', `${resource.plural} "${object.metadata.name}": the object has been modified`);
    }
    return this.#replace(resource, current, structuredClone(object), options.subresource);
  }

  async patch<T extends KubeObject>(
    resource: Resource<T>,
    ref: ObjectRef,
    patch: Patch,
    options: WriteOptions = {},
  ): Promise<T> {
    if (patch.type === 'json') throw new ApiError('UnsupportedMediaType', 'FakeClient takes no JSON patches');
    const current = await this.find(resource, ref);
    if (!current) {
      if (patch.type === 'apply') return this.create(resource, patch.body as T);
      throw notFound(resource, ref);
    }
    this.#wrote(options.subresource === undefined ? 'patch' : `patch-${options.subresource}`, resource, keyOf(current));
    const wanted = (patch.body as Partial<KubeObject>).metadata?.resourceVersion;
    if (wanted !== undefined && wanted !== current.metadata.resourceVersion) {
      throw new ApiError('Conflict', `${resource.plural} "${ref.name}": the object has been modified`);
    }
    const merged = mergePatch(structuredClone(current), structuredClone(patch.body)) as T;
    return this.#replace(resource, current, merged, options.subresource);
  }

  async delete<T extends KubeObject>(
    resource: Resource<T>,
    ref: ObjectRef,
    options: DeleteOptions = {},
  ): Promise<void> {
    const current = structuredClone(this.#require(resource, ref));
    const { metadata } = current;
    const uid = options.preconditions?.uid;
    if (uid !== undefined && uid !== metadata.uid)
      throw new ApiError('Conflict', `the UID in the precondition (${uid}) does not match`);
    this.#wrote('delete', resource, keyOf(current));
    const scheduled = resource.plural === 'pods' && (current as { spec?: { nodeName?: string } }).spec?.nodeName;
    const graceful = scheduled && options.gracePeriodSeconds !== 0;
    if (graceful || (metadata.finalizers?.length ?? 0) > 0) {
      if (metadata.deletionTimestamp !== undefined) return;
      metadata.deletionTimestamp = new Date().toISOString();
      metadata.deletionGracePeriodSeconds = options.gracePeriodSeconds ?? (scheduled ? 30 : 0);
      this.#commit('MODIFIED', resource, current);
      return;
    }
    this.#remove(resource, current);
  }

  async read(path: string): Promise<unknown> {
    if (!this.documents.has(path)) throw new ApiError('NotFound', `${path} not found`);
    return structuredClone(this.documents.get(path));
  }

  async post(path: string, body: object): Promise<unknown> {
    this.writes.push(`post ${path}`);
    return body;
  }

  async *watch<T extends KubeObject>(
    resource: Resource<T>,
    options: ListOptions & { resourceVersion?: string; sendInitialEvents?: boolean; signal: AbortSignal },
  ): AsyncGenerator<WatchEvent<T>> {
    const selected = selection(options);
    const path = pathOf(resource);
    let next = this.#log.findIndex((entry) => entry.revision > Number(options.resourceVersion ?? 0));
    if (next < 0 || options.sendInitialEvents) next = this.#log.length;
    if (options.sendInitialEvents) {
      for (const object of (await this.list(resource, options)).items) yield { type: 'ADDED', object };
      yield { type: 'BOOKMARK', resourceVersion: String(this.#revision), initialEventsEnd: true };
    }
    while (!options.signal.aborted) {
      for (; next < this.#log.length; next++) {
        const entry = this.#log[next];
        if (entry?.resource === path && selected(entry.object)) {
          yield { type: entry.type, object: structuredClone(entry.object) as T };
        }
      }
      await this.#nextWrite(options.signal);
    }
  }

  /** What the node does for a pod, or a controller for a finalizer: the object is gone, whatever held it. */
  forceRemove<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef): void {
    this.#remove(resource, this.#require(resource, ref));
  }

  #nextWrite(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.#wakeUps.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#wakeUps.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }

  async #createSubresource<T extends KubeObject>(resource: Resource<T>, object: T, subresource: string): Promise<T> {
    const { namespace, name } = object.metadata;
    this.#wrote(`create-${subresource}`, resource, keyOf(object));
    if (subresource === 'binding') {
      const target = (object as { target?: { name?: string } }).target?.name;
      const pod = structuredClone(this.#require(resource, { namespace, name })) as T & { spec?: Json };
      pod.spec = { ...pod.spec, nodeName: target };
      return this.#commit('MODIFIED', resource, pod);
    }
    if (subresource === 'eviction') await this.delete(resource, { namespace, name });
    return object;
  }

  #replace<T extends KubeObject>(resource: Resource<T>, current: T, wanted: T, subresource: string | undefined): T {
    const { status, ...before } = current as T & { status?: unknown };
    const { status: newStatus, ...after } = wanted as T & { status?: unknown };
    const statusOnly = subresource === 'status';
    const spec = statusOnly ? before : after;
    const keptStatus = statusOnly ? newStatus : status;
    const next = {
      ...structuredClone(spec),
      ...(keptStatus === undefined ? {} : { status: keptStatus }),
    } as unknown as T;
    const identity = { uid: current.metadata.uid, creationTimestamp: current.metadata.creationTimestamp };
    next.metadata = { ...(statusOnly ? current.metadata : next.metadata), ...identity } as T['metadata'];
    if (current.metadata.deletionTimestamp !== undefined)
      next.metadata.deletionTimestamp = current.metadata.deletionTimestamp;
    if (same(withoutMeta(current), withoutMeta(next)) && same(metaContent(current), metaContent(next)))
      return structuredClone(current);
    const specChanged = !same({ ...withoutMeta(current), status: null }, { ...withoutMeta(next), status: null });
    next.metadata.generation = (current.metadata.generation ?? 1) + (specChanged ? 1 : 0);
    const held = (next.metadata.finalizers?.length ?? 0) > 0 || resource.plural === 'pods';
    if (next.metadata.deletionTimestamp !== undefined && !held) {
      this.#remove(resource, next);
      return structuredClone(next);
    }
    return this.#commit('MODIFIED', resource, next);
  }

  #commit<T extends KubeObject>(type: 'ADDED' | 'MODIFIED', resource: Resource<T>, object: T): T {
    this.#revision += 1;
    object.metadata.resourceVersion = String(this.#revision);
    this.#collection(resource).set(keyOf(object), object);
    this.#append(type, resource, object);
    return structuredClone(object);
  }

  #remove<T extends KubeObject>(resource: Resource<T>, object: T): void {
    this.#revision += 1;
    this.#collection(resource).delete(keyOf(object));
    const last = structuredClone(object);
    last.metadata.resourceVersion = String(this.#revision);
    this.#append('DELETED', resource, last);
  }

  #append(type: LogEntry['type'], resource: Resource, object: KubeObject): void {
    this.#log.push({ resource: pathOf(resource), revision: this.#revision, type, object: structuredClone(object) });
    for (const wake of [...this.#wakeUps]) wake();
  }

  #require<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef): T {
    const found = this.#collection(resource).get(keyOf({ metadata: ref }));
    if (!found) throw notFound(resource, ref);
    return found as T;
  }

  #collection(resource: Resource): Map<string, KubeObject> {
    const path = pathOf(resource);
    let collection = this.#collections.get(path);
    if (!collection) {
      collection = new Map();
      this.#collections.set(path, collection);
    }
    return collection;
  }

  #wrote(verb: string, resource: Resource, key: string): void {
    this.writes.push(`${verb} ${resource.plural} ${key}`);
  }
}

const pathOf = (resource: Resource): string => `${resource.group}/${resource.plural}`;

function notFound(resource: Resource, ref: ObjectRef): ApiError {
  return new ApiError('NotFound', `${resource.plural} "${ref.name}" not found`);
}

function selection(options: ListOptions): (object: KubeObject) => boolean {
  const labels = parseLabelSelector(options.labelSelector ?? '');
  const fields = parseFieldSelector(options.fieldSelector ?? '');
  return (object) =>
    (options.namespace === undefined || object.metadata.namespace === options.namespace) &&
    matchesRequirements(labels, object.metadata.labels) &&
    fields.every(({ path, equal, value }) => (fieldOf(object, path) === value) === equal);
}

function fieldOf(object: KubeObject, path: string): string {
  let value: unknown = object;
  for (const step of path.split('.')) value = (value as Json | undefined)?.[step];
  return value === undefined ? '' : String(value);
}

/** RFC 7386 on parsed JSON; changes and returns `target`. */
function mergePatch(target: unknown, patch: unknown): unknown {
  if (patch === null || typeof patch !== 'object' || Array.isArray(patch)) return patch;
  const result: Json = target !== null && typeof target === 'object' && !Array.isArray(target) ? (target as Json) : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const withoutMeta = (object: KubeObject): Json => ({ ...object, metadata: null });

const metaContent = ({ metadata }: KubeObject): unknown => [
  metadata.labels,
  metadata.annotations,
  metadata.finalizers,
  metadata.ownerReferences,
  metadata.deletionTimestamp,
];
