import type { CachedObject, Selection } from './cached-object.ts';

/** A change of one object. `previous` is its state before (absent for ADDED); for DELETED `object` is the last state at the deletion's revision. */
export class CacheEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: CachedObject;
  readonly previous: CachedObject | undefined;
  /** Encodings made so far, by representation and type: each is made once for all watchers. */
  readonly #frames = new Map<string, Buffer>();

  constructor(type: CacheEvent['type'], object: CachedObject, previous: CachedObject | undefined) {
    this.type = type;
    this.object = object;
    this.previous = previous;
  }

  /** The encoding under `key`, made by `encode` the first time. */
  frame(key: string, encode: () => Buffer): Buffer {
    let frame = this.#frames.get(key);
    if (!frame) {
      frame = encode();
      this.#frames.set(key, frame);
    }
    return frame;
  }
}

export type EventListener = (events: readonly CacheEvent[]) => void;

/** Events kept for watches that resume; older ones answer 410 Expired. Twice as many are held before the older half goes. */
const KEPT_EVENTS = 4096;
/** Fewer are kept when their objects are large: history must not cost more memory than the present. */
const KEPT_EVENT_BYTES = 32 * 1024 * 1024;

/** All objects of one resource, and its latest events. */
export class ResourceCache {
  readonly #objects = new Map<string, CachedObject>();
  /** The keys in order; kept sorted by insertion, because lists are read far more often than objects come and go. */
  readonly #keys: string[] = [];
  #events: CacheEvent[] = [];
  /** Bytes of the objects in #events. */
  #eventBytes = 0;
  #floor: number;
  #lastChange: number;
  readonly #listeners = new Set<EventListener>();

  constructor(floor: number) {
    this.#floor = floor;
    this.#lastChange = floor;
  }

  /** Watches may resume at this revision or later. */
  get floor(): number {
    return this.#floor;
  }

  /** The revision of the last event; a list at any revision since then is the present list. */
  get lastChange(): number {
    return this.#lastChange;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): CachedObject | undefined {
    return this.#objects.get(key);
  }

  /** Objects in key order; of one namespace when it is given; after the key `after`. */
  *objects(namespace?: string, after = ''): Iterable<CachedObject> {
    const prefix = namespace === undefined ? '' : `${namespace}/`;
    let i = this.#position(after > prefix ? after : prefix);
    if (after !== '' && this.#keys[i] === after) i++;
    for (; i < this.#keys.length; i++) {
      const key = this.#keys[i];
      if (key === undefined || !key.startsWith(prefix)) return;
      const object = this.#objects.get(key);
      if (object) yield object;
    }
  }

  select(selection: Selection): CachedObject[] {
    const name = selection.fields.find(({ path, equal }) => equal && path === 'metadata.name')?.value;
    if (name !== undefined && selection.namespace !== undefined) {
      const one = this.#objects.get(`${selection.namespace}/${name}`);
      return one?.matches(selection) ? [one] : [];
    }
    const selected: CachedObject[] = [];
    for (const object of this.objects(selection.namespace)) if (object.matches(selection)) selected.push(object);
    return selected;
  }

  /** Events after a revision not older than `floor`, in order. */
  eventsAfter(revision: number): readonly CacheEvent[] {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#events[middle]?.object.revision ?? 0) <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#events.slice(low);
  }

  listen(listener: EventListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Takes over the state without events: how the cache is filled at the start. */
  load(object: CachedObject): void {
    if (!this.#objects.has(object.key)) this.#keys.splice(this.#position(object.key), 0, object.key);
    this.#objects.set(object.key, object);
  }

  put(object: CachedObject): CacheEvent {
    const previous = this.#objects.get(object.key);
    this.load(object);
    return this.#record(new CacheEvent(previous ? 'MODIFIED' : 'ADDED', object, previous));
  }

  delete(key: string, revision: number): CacheEvent | undefined {
    const previous = this.#objects.get(key);
    if (!previous) return undefined;
    this.#objects.delete(key);
    this.#keys.splice(this.#position(key), 1);
    return this.#record(new CacheEvent('DELETED', previous.deletedAt(revision), previous));
  }

  publish(events: readonly CacheEvent[]): void {
    for (const listener of this.#listeners) listener(events);
  }

  #record(event: CacheEvent): CacheEvent {
    this.#lastChange = event.object.revision;
    this.#events.push(event);
    this.#eventBytes += event.object.bytes.length;
    if (this.#events.length >= 2 * KEPT_EVENTS) this.#forgetEvents(KEPT_EVENTS);
    else if (this.#eventBytes > KEPT_EVENT_BYTES && this.#events.length > 1) {
      this.#forgetEvents(Math.ceil(this.#events.length / 2));
    }
    return event;
  }

  #forgetEvents(count: number): void {
    this.#floor = this.#events[count - 1]?.object.revision ?? this.#floor;
    for (const { object } of this.#events.slice(0, count)) this.#eventBytes -= object.bytes.length;
    this.#events = this.#events.slice(count);
  }

  /** Where `key` is, or would be, in the sorted keys. */
  #position(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#keys[middle] ?? '') < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
