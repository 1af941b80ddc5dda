import { createLogger, systemClock } from '@ballast/base';
import { Lab, type LabOptions } from '@ballast/lab';
import { writeBuiltInImages } from '@ballast/node';
import { installation } from './installation.ts';

/** The port of the host at which labs like to show their API server. */
const WISHED_PORT = 16443;

export interface BringUpOptions
  extends Pick<LabOptions, 'name' | 'agents' | 'root' | 'config' | 'foreground' | 'onProgress'> {
  readonly owner?: string;
  /** Loopback port for the API server; 0 for any. */
  readonly hostPort?: number;
}

/** Brings up a lab whose nodes run this copy of Ballast, with the images that all of them share. */
export async function bringUp(options: BringUpOptions): Promise<Lab> {
  const logger = createLogger({ level: 'warn' });
  await writeBuiltInImages({ imageDir: installation.images, logger });
  return Lab.start({
    hostPort: WISHED_PORT,
    ...options,
    ballast: installation.command,
    imageDir: installation.images,
    clock: systemClock,
    logger,
  });
}
