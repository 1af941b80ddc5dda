import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { BallastError, type Clock, type Logger, writeFileAtomic } from '@ballast/base';
import { findProcess, formatProcessIdentity, identifyProcess } from '@ballast/linux';
import type { Layout } from './layout.ts';
import { ROLES } from './role-settings.ts';

/**
 * Makes this process the machine's supervisor. One that runs is an error; the roles of one that was killed are ended (they end by themselves
 * unless they are frozen), so that their ports are free. containerd and the pods of an earlier run are not touched.
 */
export async function takeOver(options: {
  layout: Layout;
  runDir: string;
  logger: Logger;
  clock: Clock;
}): Promise<void> {
  const { layout, runDir, logger, clock } = options;
  const pidPath = join(runDir, 'supervisor.pid');
  await mkdir(runDir, { recursive: true, mode: 0o711 });
  const other = await findProcess(pidPath);
  if (other && other.pid !== process.pid) {
    throw new BallastError(
      'already-running',
      `ballast runs on this machine already (PID ${other.pid}); stop it first, or set another run-dir`,
    );
  }
  const self = await identifyProcess(process.pid);
  if (self) await writeFileAtomic(pidPath, formatProcessIdentity(self), 0o644);
  for (const role of ROLES) {
    const rolePid = join(layout.roles, `${role}.pid`);
    const leftover = await findProcess(rolePid);
    if (!leftover) continue;
    logger.info('ending a role of an earlier run', { role, pid: leftover.pid });
    process.kill(leftover.pid, 'SIGKILL');
    while (await findProcess(rolePid)) await clock.sleep(10);
  }
}
