import type { IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { abortReason, isAbort, messageOf } from '@ballast/base';
import { ApiError } from './api-error.ts';
import type { DeleteOptions, KubeClient, ListOptions, ObjectRef, Patch, WatchEvent, WriteOptions } from './client.ts';
import { readLines } from './json-lines.ts';
import type { KubeList, KubeObject, Status } from './meta.ts';
import { apiVersionOf, type Resource, resourcePath } from './resource.ts';

export interface ClientOptions {
  /** 'https://host:port'. */
  readonly server: string;
  readonly caPem: string;
  /** Client certificate and key; or a bearer token. */
  readonly certPem?: string;
  readonly keyPem?: string;
  readonly token?: string;
  readonly userAgent?: string;
  /** How long one answer may take, default 30 s. Watches have no such limit. */
  readonly requestTimeoutMs?: number;
}

const PATCH_CONTENT_TYPES: Record<Patch['type'], string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** A dead peer is noticed 10 s (Node's ten probes of one second) after this much silence, so no watch hangs on a vanished server. */
const KEEP_ALIVE_DELAY_MS = 5000;

/** Idle connections are closed before servers do it (Ballast and upstream after 180 s), so that a request seldom meets a closed one. */
const IDLE_CONNECTION_MS = 60_000;

/** A server sends a bookmark each minute; a watch silent for longer than this is broken even if TCP does not know it. */
const WATCH_SILENCE_MS = 150_000;

/** The Kubernetes API over HTTPS with kept-alive connections. Disposing closes them and ends running watches. */
export function createClient(options: ClientOptions): KubeClient & AsyncDisposable {
  return new HttpsKubeClient(options);
}

interface Call {
  readonly method: string;
  readonly path: string;
  readonly query?: Record<string, string | undefined>;
  readonly contentType?: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number | undefined;
}

class HttpsKubeClient implements KubeClient, AsyncDisposable {
  readonly #agent: Agent;
  readonly #base: RequestOptions;
  readonly #headers: Record<string, string>;
  readonly #timeoutMs: number;
  readonly #server: string;
  readonly #closed = new AbortController();

  constructor(options: ClientOptions) {
    const url = new URL(options.server);
    this.#server = options.server;
    this.#timeoutMs = options.requestTimeoutMs ?? 30_000;
    this.#agent = new Agent({
      keepAlive: true,
      keepAliveMsecs: KEEP_ALIVE_DELAY_MS,
      timeout: IDLE_CONNECTION_MS,
      ca: options.caPem,
      ...(options.certPem === undefined ? {} : { cert: options.certPem }),
      ...(options.keyPem === undefined ? {} : { key: options.keyPem }),
    });
    this.#base = {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port === '' ? 443 : Number(url.port),
      agent: this.#agent,
    };
    this.#headers = {
      accept: 'application/json',
      'user-agent': options.userAgent ?? 'ballast',
      ...(options.token === undefined ? {} : { authorization: `Bearer ${options.token}` }),
    };
  }

  async get<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef): Promise<T> {
    return this.#json<T>({ method: 'GET', path: resourcePath(resource, ref) });
  }

  async find<T extends KubeObject>(resource: Resource<T>, ref: ObjectRef): Promise<T | undefined> {
    try {
      return await this.get(resource, ref);
    } catch (error) {
      if (error instanceof ApiError && error.code === 'NotFound') return undefined;
      throw error;
    }
  }

  async list<T extends KubeObject>(resource: Resource<T>, options: ListOptions = {}): Promise<KubeList<T>> {
    return this.#json<KubeList<T>>({
      method: 'GET',
      path: resourcePath(resource, options),
      query: selectorQuery(options),
    });
  }

  async create<T extends KubeObject>(resource: Resource<T>, object: T, options: WriteOptions = {}): Promise<T> {
    // Only a subresource of an existing object is addressed by name; a new object goes to the collection.
    const name = options.subresource === undefined ? undefined : object.metadata.name;
    return this.#json<T>({
      method: 'POST',
      path: resourcePath(resource, { namespace: object.metadata.namespace, name, subresource: options.subresource }),
      query: writeQuery(options),
      body: withType(resource, object),
    });
  }

  async update<T extends KubeObject>(resource: Resource<T>, object: T, options: WriteOptions = {}): Promise<T> {
    return this.#json<T>({
      method: 'PUT',
      path: resourcePath(resource, { ...object.metadata, subresource: options.subresource }),
      query: writeQuery(options),
      body: withType(resource, object),
    });
  }

  async patch<T extends KubeObject>(
    resource: Resource<T>,
    ref: ObjectRef,
    patch: Patch,
    options: WriteOptions = {},
  ): Promise<T> {
    const apply =
      patch.type === 'apply' ? { fieldManager: patch.fieldManager, force: patch.force ? 'true' : undefined } : {};
    return this.#json<T>({
      method: 'PATCH',
      path: resourcePath(resource, { ...ref, subresource: options.subresource }),
      query: { ...writeQuery(options), ...apply },
      contentType: PATCH_CONTENT_TYPES[patch.type],
      body: patch.body,
    });
  }

  async delete<T extends KubeObject>(
    resource: Resource<T>,
    ref: ObjectRef,
    options: DeleteOptions = {},
  ): Promise<void> {
    await this.#json({
      method: 'DELETE',
      path: resourcePath(resource, ref),
      body: { apiVersion: 'v1', kind: 'DeleteOptions', ...options },
    });
  }

  async read(path: string): Promise<unknown> {
    return this.#json({ method: 'GET', path });
  }

  async post(path: string, body: object): Promise<unknown> {
    return this.#json({ method: 'POST', path, body });
  }

  async *watch<T extends KubeObject>(
    resource: Resource<T>,
    options: ListOptions & { resourceVersion?: string; sendInitialEvents?: boolean; signal: AbortSignal },
  ): AsyncGenerator<WatchEvent<T>> {
    const initial = options.sendInitialEvents
      ? { sendInitialEvents: 'true', resourceVersionMatch: 'NotOlderThan' }
      : {};
    const response = await this.#open({
      method: 'GET',
      path: resourcePath(resource, options),
      query: {
        ...selectorQuery(options),
        ...initial,
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: options.resourceVersion,
      },
      signal: AbortSignal.any([options.signal, this.#closed.signal]),
    });
    response.setTimeout(WATCH_SILENCE_MS, () => response.destroy(new Error('the watch fell silent')));
    try {
      for await (const line of readLines(response)) yield watchEvent<T>(JSON.parse(line) as RawWatchEvent<T>);
    } catch (error) {
      if (options.signal.aborted) return;
      throw error instanceof ApiError ? error : this.#unreachable(error);
    } finally {
      response.destroy();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    this.#agent.destroy();
  }

  async #json<T>(call: Call): Promise<T> {
    const response = await this.#open({ ...call, timeoutMs: this.#timeoutMs });
    try {
      return JSON.parse(await readText(response)) as T;
    } catch (error) {
      throw this.#unreachable(error);
    }
  }

  /** Sends a request; resolves with the answer's head when it is a success, otherwise throws the ApiError that the body describes. */
  async #open(call: Call): Promise<IncomingMessage> {
    const query = new URLSearchParams();
    for (const [key, value] of Object.entries(call.query ?? {})) if (value !== undefined) query.set(key, value);
    const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body));
    const options: RequestOptions = {
      ...this.#base,
      method: call.method,
      path: query.size === 0 ? call.path : `${call.path}?${query}`,
      headers: {
        ...this.#headers,
        ...(body === undefined
          ? {}
          : { 'content-type': call.contentType ?? 'application/json', 'content-length': body.length }),
      },
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    };
    let response: IncomingMessage;
    try {
      response = await this.#sendWithOneRetry(options, body, call.timeoutMs);
    } catch (error) {
      if (call.signal?.aborted) throw abortReason(call.signal);
      throw this.#unreachable(error);
    }
    if ((response.statusCode ?? 500) < 300) return response;
    throw await errorOf(response);
  }

  /**
   * A kept-alive connection may be closed by the server at the moment it is used again; the request is sent anew. Not a creation: the server
   * may have died after carrying it out.
   */
  async #sendWithOneRetry(options: RequestOptions, body: Buffer | undefined, timeoutMs: number | undefined) {
    try {
      return await send(options, body, timeoutMs);
    } catch (error) {
      if (!(error instanceof StaleConnectionError) || options.method === 'POST') throw error;
      return send(options, body, timeoutMs);
    }
  }

  #unreachable(error: unknown): ApiError {
    if (error instanceof ApiError) return error;
    return new ApiError('unreachable', `API server ${this.#server}: ${messageOf(error)}`, { cause: error });
  }
}

class StaleConnectionError extends Error {}

function send(
  options: RequestOptions,
  body: Buffer | undefined,
  timeoutMs: number | undefined,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const outgoing = request(options, (response) => resolve(response));
    outgoing.setNoDelay(true);
    if (timeoutMs !== undefined)
      outgoing.setTimeout(timeoutMs, () => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      const stale = outgoing.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
      reject(stale && !isAbort(error) ? new StaleConnectionError(error.message, { cause: error }) : error);
    });
    outgoing.end(body);
  });
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

async function errorOf(response: IncomingMessage): Promise<ApiError> {
  const text = await readText(response).catch(() => '');
  let status: Status | undefined;
  try {
    const parsed = JSON.parse(text) as Status;
    if (parsed.kind === 'Status') status = parsed;
  } catch {
    // Not from an API server: the text itself is the best message there is.
  }
  const code = response.statusCode ?? 500;
  return ApiError.fromStatus(
    status ?? {
      kind: 'Status',
      apiVersion: 'v1',
      status: 'Failure',
      code,
      message: `HTTP ${code}: ${text.slice(0, 500)}`,
    },
  );
}

interface RawWatchEvent<T> {
  type: string;
  object: T;
}

function watchEvent<T extends KubeObject>(raw: RawWatchEvent<T>): WatchEvent<T> {
  switch (raw.type) {
    case 'ADDED':
    case 'MODIFIED':
    case 'DELETED':
      return { type: raw.type, object: raw.object };
    case 'BOOKMARK': {
      const { resourceVersion = '', annotations } = raw.object.metadata;
      return {
        type: 'BOOKMARK',
        resourceVersion,
        initialEventsEnd: annotations?.['k8s.io/initial-events-end'] === 'true',
      };
    }
    default:
      throw ApiError.fromStatus(raw.object as unknown as Status);
  }
}

function selectorQuery(options: ListOptions): Record<string, string | undefined> {
  return { labelSelector: options.labelSelector, fieldSelector: options.fieldSelector };
}

function writeQuery(options: WriteOptions): Record<string, string | undefined> {
  return { fieldManager: options.fieldManager, dryRun: options.dryRun ? 'All' : undefined };
}

function withType<T extends KubeObject>(resource: Resource<T>, object: T): T {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind, ...object };
}
