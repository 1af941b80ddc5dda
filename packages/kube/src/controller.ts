import { isAbort, type Logger, type Running, runInBackground } from '@ballast/base';
import { isApiError } from './api-error.ts';
import type { WorkQueue } from './work-queue.ts';

export interface ControllerOptions {
  readonly name: string;
  readonly queue: WorkQueue;
  /** How many keys are worked on at a time, default 1. */
  readonly workers?: number;
  /** Makes the world match the object with this key. Idempotent; an exception means: try again later. */
  readonly reconcile: (key: string, signal: AbortSignal) => Promise<void>;
  readonly logger: Logger;
}

/** Works on the keys of a queue until disposed. Conflicts are everyday life and retried quietly; other failures are logged. */
export function runController(options: ControllerOptions): Running {
  const { queue } = options;
  const logger = options.logger.child({ controller: options.name });
  const work = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      let key: string;
      try {
        key = await queue.get(signal);
      } catch (error) {
        if (isAbort(error)) return;
        throw error;
      }
      try {
        await options.reconcile(key, signal);
        queue.forget(key);
      } catch (error) {
        if (signal.aborted) return;
        if (isApiError(error, 'Conflict')) logger.debug('conflict, trying again', { key });
        else logger.warn('reconciling failed, trying again', { key, error });
        queue.retry(key);
      } finally {
        queue.done(key);
      }
    }
  };
  return runInBackground(async (signal) => {
    using _queue = queue;
    await Promise.all(Array.from({ length: options.workers ?? 1 }, () => work(signal)));
  });
}
