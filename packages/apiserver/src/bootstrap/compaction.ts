import { isAbort, type Running, runInBackground } from '@ballast/base';
import type { Kernel } from '../kernel.ts';

/** Lists of the past and resumed watches reach back this far at least; twice this at most. */
const INTERVAL_MS = 5 * 60_000;

/** Forgets history older than the interval, again and again. */
export function startCompaction({ store, clock, logger }: Pick<Kernel, 'store' | 'clock' | 'logger'>): Running {
  return runInBackground(async (signal) => {
    for (;;) {
      const revision = store.revision;
      await clock.sleep(INTERVAL_MS, signal);
      try {
        await store.compact(revision);
      } catch (error) {
        if (isAbort(error)) throw error;
        logger.warn('compaction failed', { error });
      }
    }
  });
}
