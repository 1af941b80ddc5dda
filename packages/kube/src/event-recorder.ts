import type { Clock, Logger } from '@ballast/base';
import { isApiError } from './api-error.ts';
import type { KubeClient } from './client.ts';
import type { Event } from './kinds/index.ts';
import { EVENTS } from './kinds/index.ts';
import type { KubeObject } from './meta.ts';

/** Something worth telling the people who look at an object with `kubectl describe`. */
export interface Occurrence {
  /** The object, with apiVersion and kind set, as informers and the API server hand it out. */
  readonly object: KubeObject;
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, stable: 'FailedScheduling'. */
  readonly reason: string;
  readonly message: string;
  /** The part of the object, as 'spec.containers{web}'. */
  readonly fieldPath?: string;
}

/** As upstream's correlator: the same occurrence is counted up, not written anew, while it was seen this recently. */
const MEMORY_MS = 600_000;
const MAX_REMEMBERED = 4096;
/** Events waiting to be written; more are dropped, as they are news, not state. */
const MAX_WAITING = 1000;

interface Remembered {
  readonly namespace: string;
  readonly name: string;
  count: number;
  lastMs: number;
}

/** Writes core/v1 Events in the background. Never throws and never blocks: losing an event must not lose the work it tells of. */
export class EventRecorder {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #component: string;
  readonly #host: string | undefined;
  readonly #remembered = new Map<string, Remembered>();
  #waiting = 0;
  #tail: Promise<void> = Promise.resolve();
  #sequence = 0;

  constructor(options: { client: KubeClient; clock: Clock; logger: Logger; component: string; host?: string }) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#component = options.component;
    this.#host = options.host;
  }

  record(occurrence: Occurrence): void {
    if (this.#waiting >= MAX_WAITING) return;
    this.#waiting += 1;
    // One after the other: a count-up must see the event that it counts up.
    this.#tail = this.#tail
      .then(() => this.#write(occurrence))
      .catch((error: unknown) => this.#logger.debug('event not written', { reason: occurrence.reason, error }))
      .finally(() => {
        this.#waiting -= 1;
      });
  }

  /** Resolves when everything recorded so far was written or given up. */
  flush(): Promise<void> {
    return this.#tail;
  }

  async #write(occurrence: Occurrence): Promise<void> {
    const { metadata } = occurrence.object;
    const key = JSON.stringify([
      metadata.uid,
      metadata.name,
      occurrence.fieldPath,
      occurrence.type,
      occurrence.reason,
      occurrence.message,
    ]);
    const nowMs = this.#clock.nowMs();
    const known = this.#remembered.get(key);
    if (known && nowMs - known.lastMs < MEMORY_MS && (await this.#countUp(known, nowMs))) return;
    const event = this.#event(occurrence, nowMs);
    await this.#client.create(EVENTS, event);
    this.#remembered.delete(key);
    this.#remembered.set(key, {
      namespace: event.metadata.namespace ?? '',
      name: event.metadata.name,
      count: 1,
      lastMs: nowMs,
    });
    const oldest = this.#remembered.keys().next().value;
    if (this.#remembered.size > MAX_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
  }

  /** False when the event was deleted or has expired meanwhile. */
  async #countUp(known: Remembered, nowMs: number): Promise<boolean> {
    try {
      await this.#client.patch(
        EVENTS,
        { namespace: known.namespace, name: known.name },
        { type: 'merge', body: { count: known.count + 1, lastTimestamp: timestamp(nowMs) } },
      );
    } catch (error) {
      if (isApiError(error, 'NotFound')) return false;
      throw error;
    }
    known.count += 1;
    known.lastMs = nowMs;
    return true;
  }

  #event({ object, type, reason, message, fieldPath }: Occurrence, nowMs: number): Event {
    const { metadata } = object;
    // Events about cluster-scoped objects live in 'default', as upstream.
    const namespace = metadata.namespace ?? 'default';
    const time = timestamp(nowMs);
    this.#sequence += 1;
    const host = this.#host === undefined ? {} : { host: this.#host };
    return {
      metadata: { namespace, name: `${metadata.name}.${(nowMs * 1000 + (this.#sequence % 1000)).toString(16)}` },
      involvedObject: {
        apiVersion: object.apiVersion ?? '',
        kind: object.kind ?? '',
        name: metadata.name,
        ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
        ...(metadata.uid === undefined ? {} : { uid: metadata.uid }),
        ...(metadata.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }),
        ...(fieldPath === undefined ? {} : { fieldPath }),
      },
      type,
      reason,
      message,
      count: 1,
      firstTimestamp: time,
      lastTimestamp: time,
      source: { component: this.#component, ...host },
      reportingComponent: this.#component,
      reportingInstance: this.#host ?? '',
    };
  }
}

/** meta/v1 Time: RFC 3339 in whole seconds. */
function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
