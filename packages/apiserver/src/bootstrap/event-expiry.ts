import { type Running, runInBackground } from '@ballast/base';
import { isApiError } from '@ballast/kube';
import type { Kernel } from '../kernel.ts';
import { deleteObject } from '../operations/delete.ts';
import { serverWrite } from '../operations/write-context.ts';

/** How long an event is kept after it was last written, as upstream; a restart of the server starts the time anew. */
const LIFETIME_MS = 60 * 60_000;
const INTERVAL_MS = 60_000;

/** Deletes old events. Their age is told from the revision that the store had an hour ago, so nothing is parsed. */
export function startEventExpiry(kernel: Kernel): Running {
  const { clock, cache, registry, logger } = kernel;
  const marks: { readonly atMs: number; readonly revision: number }[] = [];
  return runInBackground(async (signal) => {
    for (;;) {
      marks.push({ atMs: clock.monotonicMs(), revision: cache.revision });
      await clock.sleep(INTERVAL_MS, signal);
      let limit = 0;
      while (marks[0] && clock.monotonicMs() - marks[0].atMs >= LIFETIME_MS) limit = marks.shift()?.revision ?? limit;
      const resource = registry.find('', 'v1', 'events');
      if (limit === 0 || !resource) continue;
      const old = [...cache.of('events').objects()].filter(({ revision }) => revision <= limit);
      for (const { namespace, name } of old) {
        try {
          await deleteObject({}, serverWrite(kernel, resource, { operation: 'delete', namespace, name }));
        } catch (error) {
          if (!isApiError(error, 'NotFound'))
            logger.warn('an old event could not be deleted', { namespace, name, error });
        }
      }
    }
  });
}
