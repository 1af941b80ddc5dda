import { join } from 'node:path';
import { type Clock, type Logger, messageOf, type Running, runInBackground } from '@ballast/base';
import type { CriClient } from '../cri/client.ts';
import { containerLogPath, podLogFolder } from '../pod/container-config.ts';
import type { PodSet } from '../pod-set.ts';
import { rotateLog } from './rotate-logs.ts';

const LOOK_MS = 10_000;

/** Looks after the size of all logs of this node. */
export function startLogRotation(options: {
  cri: CriClient;
  podSet: PodSet;
  logDir: string;
  clock: Clock;
  logger: Logger;
}): Running {
  const { cri, podSet, logDir, clock, logger } = options;
  return runInBackground(async (signal) => {
    for (;;) {
      await clock.sleep(LOOK_MS, signal);
      for (const worker of podSet.list()) {
        for (const run of worker.view.containers) {
          if (run.state !== 'running') continue;
          const path = join(logDir, podLogFolder(worker.pod), containerLogPath(run.name, run.attempt));
          try {
            await rotateLog({ cri, containerId: run.id, path, nowMs: clock.nowMs() });
          } catch (error) {
            logger.warn('log not rotated', { path, error: messageOf(error) });
          }
        }
      }
    }
  });
}
