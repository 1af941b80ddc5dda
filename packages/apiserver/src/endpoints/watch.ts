import type { CachedObject, Selection } from '../cache/cached-object.ts';
import type { CacheEvent } from '../cache/resource-cache.ts';
import { type AnswerForm, bookmarkFrame, eventFrame, formKey, frame } from '../http/encoding.ts';
import { type Exchange, flag, writeChunk } from '../http/exchange.ts';
import { writeHead } from '../http/respond.ts';
import type { Kernel } from '../kernel.ts';
import { badRequest, expired, invalid } from '../object/failures.ts';
import { forbiddenValue } from '../object/field-problems.ts';
import { parseSelection, selectsAll } from '../operations/selection.ts';
import { waitForRevision } from '../operations/wait-for-revision.ts';
import type { ResourceDefinition } from '../resources/definition.ts';

const BOOKMARK_INTERVAL_MS = 30_000;
/** A watch ends after 30 to 60 minutes, so that load spreads anew over servers. */
const MIN_LIFETIME_MS = 30 * 60_000;
/** A client that reads slower than this much behind is cut off; it will list again. */
const MAX_UNSENT_BYTES = 32 * 1024 * 1024;
/** Changes kept for a client that is still reading the present. */
const MAX_BACKLOG = 20_000;

/** Objects of the present that are written at once. */
const PRESENT_PART = 200;

interface WatchRequest {
  readonly selection: Selection;
  readonly bookmarks: boolean;
  readonly initialEvents: boolean;
  /** Send the present objects as ADDED first. */
  readonly synthetic: boolean;
  readonly afterRevision: number;
  readonly lifetimeMs: number;
}

/** Streams changes as lines of JSON until the client goes, the lifetime is over or the server stops. */
export async function serveWatch(
  kernel: Kernel,
  exchange: Exchange,
  resource: ResourceDefinition,
  at: { namespace: string; form: AnswerForm },
): Promise<void> {
  const request = await parseWatch(kernel, exchange, resource, at.namespace);
  const { response } = exchange;
  writeHead(exchange, 200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' });
  if ('flushHeaders' in response) response.flushHeaders();
  const cache = kernel.cache.of(resource.storageKey);
  if (!request.synthetic && request.afterRevision < cache.floor) {
    const { status } = expired(`too old resource version: ${request.afterRevision} (${cache.floor})`);
    response.end(frame('ERROR', Buffer.from(JSON.stringify(status))));
    return;
  }
  const watcher = new Watcher(kernel, exchange, resource, request, at.form);
  await watcher.run();
}

async function parseWatch(
  kernel: Kernel,
  { query }: Exchange,
  resource: ResourceDefinition,
  namespace: string,
): Promise<WatchRequest> {
  const version = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  const initialEvents = flag(query, 'sendInitialEvents');
  const options = { group: 'meta.k8s.io', kind: 'ListOptions' };
  if (query.has('sendInitialEvents') && match !== 'NotOlderThan') {
    throw invalid(options, '', [
      forbiddenValue('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan'),
    ]);
  }
  if (match !== '' && !query.has('sendInitialEvents')) {
    throw invalid(options, '', [
      forbiddenValue(
        'resourceVersionMatch',
        'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      ),
    ]);
  }
  if (version !== '' && !/^[0-9]+$/.test(version))
    throw badRequest(`resourceVersion ${JSON.stringify(version)} is not a number`);
  const afterRevision = Number(version || 0);
  if (afterRevision > 0) await waitForRevision(kernel, afterRevision);
  const timeoutSeconds = Number(query.get('timeoutSeconds') ?? 0);
  return {
    selection: parseSelection(query, resource, namespace),
    bookmarks: flag(query, 'allowWatchBookmarks'),
    initialEvents,
    synthetic: initialEvents || (afterRevision === 0 && query.get('sendInitialEvents') !== 'false'),
    afterRevision: afterRevision === 0 ? kernel.cache.revision : afterRevision,
    lifetimeMs: timeoutSeconds > 0 ? timeoutSeconds * 1000 : MIN_LIFETIME_MS * (1 + Math.random()),
  };
}

class Watcher {
  readonly #kernel: Kernel;
  readonly #exchange: Exchange;
  readonly #resource: ResourceDefinition;
  readonly #request: WatchRequest;
  readonly #form: AnswerForm;
  readonly #formKey: string;
  readonly #everything: boolean;
  /** Changes that happened while the present is still being sent. */
  #backlog: CacheEvent[] | undefined;

  constructor(
    kernel: Kernel,
    exchange: Exchange,
    resource: ResourceDefinition,
    request: WatchRequest,
    form: AnswerForm,
  ) {
    this.#kernel = kernel;
    this.#exchange = exchange;
    this.#resource = resource;
    this.#request = request;
    this.#form = form;
    this.#formKey = formKey(resource, form);
    this.#everything = selectsAll(request.selection);
  }

  /** Resolves when the answer has ended. Between reading the cache and `listen` nothing is awaited, so no event is missed or sent twice. */
  run(): Promise<void> {
    const { response } = this.#exchange;
    const cache = this.#kernel.cache.of(this.#resource.storageKey);
    if (this.#request.synthetic) {
      this.#sendPresent(cache.select(this.#request.selection)).catch((error: unknown) => this.#giveUp(error));
    } else this.#sendEvents(cache.eventsAfter(this.#request.afterRevision));
    const listening = cache.listen((events) => this.#sendOrGiveUp(events));
    const lifetime = this.#kernel.clock.timer(this.#request.lifetimeMs, () => {
      this.#sendBookmark(false);
      response.end();
    });
    const bookmarks = this.#startBookmarks();
    const stop = () => response.end();
    this.#kernel.stopping.addEventListener('abort', stop, { once: true });
    return new Promise((resolve) => {
      const end = () => {
        listening[Symbol.dispose]();
        lifetime[Symbol.dispose]();
        bookmarks[Symbol.dispose]();
        this.#kernel.stopping.removeEventListener('abort', stop);
        resolve();
      };
      if (response.destroyed || response.writableEnded) end();
      else response.once('close', end);
    });
  }

  #startBookmarks(): Disposable {
    let timer: Disposable | undefined;
    const arm = () => {
      timer = this.#kernel.clock.timer(BOOKMARK_INTERVAL_MS, () => {
        this.#sendBookmark(false);
        arm();
      });
    };
    arm();
    return { [Symbol.dispose]: () => timer?.[Symbol.dispose]() };
  }

  /** The present in parts, as fast as the client reads: fifty clients that come back at once must not fill the memory. */
  async #sendPresent(objects: readonly CachedObject[]): Promise<void> {
    const revision = this.#kernel.cache.revision;
    const { response } = this.#exchange;
    this.#backlog = [];
    for (let start = 0; start < objects.length; start += PRESENT_PART) {
      const part = objects.slice(start, start + PRESENT_PART);
      this.#write(Buffer.concat(part.map((object) => eventFrame(this.#resource, this.#form, 'ADDED', object))));
      if (response.writableNeedDrain && start + PRESENT_PART < objects.length) await this.#drained();
      if (response.destroyed || response.writableEnded) return;
    }
    if (this.#request.initialEvents) this.#sendBookmark(true, revision);
    const missed = this.#backlog;
    this.#backlog = undefined;
    this.#sendEvents(missed);
  }

  #drained(): Promise<void> {
    const { response } = this.#exchange;
    return new Promise((resolve) => {
      const done = () => {
        response.off('drain', done);
        response.off('close', done);
        resolve();
      };
      response.once('drain', done);
      response.once('close', done);
    });
  }

  #sendBookmark(initialEnd: boolean, revision = this.#kernel.cache.revision): void {
    if (!this.#request.bookmarks || (this.#backlog && !initialEnd)) return;
    this.#write(bookmarkFrame(this.#resource, this.#form, revision, initialEnd));
  }

  /** A commit tells every watcher before it is acknowledged: what one watcher cannot encode must not reach the store or the others. */
  #sendOrGiveUp(events: readonly CacheEvent[]): void {
    try {
      this.#sendEvents(events);
    } catch (error) {
      this.#giveUp(error);
    }
  }

  /** The client sees the watch end without an error, and lists again. */
  #giveUp(error: unknown): void {
    this.#kernel.logger.error('watch ended: an event could not be sent', { path: this.#exchange.path, error });
    this.#exchange.response.destroy();
  }

  #sendEvents(events: readonly CacheEvent[]): void {
    if (this.#backlog) {
      if (this.#backlog.length + events.length > MAX_BACKLOG) this.#cutOff();
      else for (const event of events) this.#backlog.push(event);
      return;
    }
    const frames: Buffer[] = [];
    for (const event of events) {
      const type = this.#everything ? event.type : this.#seenAs(event);
      if (!type) continue;
      frames.push(
        event.frame(`${this.#formKey} ${type}`, () =>
          eventFrame(this.#resource, this.#form, type, this.#shown(event, type)),
        ),
      );
    }
    const [first] = frames;
    if (first) this.#write(frames.length === 1 ? first : Buffer.concat(frames));
  }

  /** What a change looks like through the selection: an object that leaves it appears deleted, one that enters it added. */
  #seenAs(event: CacheEvent): CacheEvent['type'] | undefined {
    const { selection } = this.#request;
    const was = event.previous?.matches(selection) ?? false;
    if (event.type === 'DELETED') return was ? 'DELETED' : undefined;
    const is = event.object.matches(selection);
    if (is) return was ? 'MODIFIED' : 'ADDED';
    return was ? 'DELETED' : undefined;
  }

  /** An object that left the selection is shown as it was before, at the revision of the change. */
  #shown(event: CacheEvent, type: CacheEvent['type']): CachedObject {
    if (type === 'DELETED' && event.type !== 'DELETED' && event.previous)
      return event.previous.deletedAt(event.object.revision);
    return event.object;
  }

  #write(bytes: Buffer): void {
    const { response } = this.#exchange;
    if (response.destroyed || response.writableEnded) return;
    if (response.writableLength > MAX_UNSENT_BYTES) {
      this.#cutOff();
      return;
    }
    writeChunk(response, bytes);
  }

  #cutOff(): void {
    const { response } = this.#exchange;
    if (response.destroyed) return;
    this.#kernel.logger.warn('watch cut off: the client reads too slowly', { path: this.#exchange.path });
    response.destroy();
  }
}
