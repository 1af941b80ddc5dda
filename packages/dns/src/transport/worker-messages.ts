import type { Lesson } from './wire-cache.ts';

/** What a worker is started with. */
export interface WorkerSetup {
  readonly socketFd: number;
  /** Written to when there is a message that cannot wait for the next datagram. */
  readonly wakeFd: number;
  readonly cacheEntries: number;
  /** Shared: [0] counts the messages posted to the worker, each before it is counted. */
  readonly posted: Int32Array;
}

/** A datagram that a worker could not answer by itself, as copies. */
export interface Miss {
  readonly bytes: Uint8Array;
  readonly from: Uint8Array;
  readonly control: Uint8Array;
}

export type ToMain =
  | { readonly kind: 'misses'; readonly misses: readonly Miss[] }
  | { readonly kind: 'counts'; readonly counts: readonly [tally: string, times: number][] }
  | { readonly kind: 'stopped' };

export type ToWorker =
  | { readonly kind: 'learn'; readonly lesson: Lesson }
  | { readonly kind: 'forget'; readonly names: readonly string[] }
  | { readonly kind: 'stop' };
