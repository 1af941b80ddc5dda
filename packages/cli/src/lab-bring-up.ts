import { createLogger, systemClock } from '@ballast/base';
import { Lab } from '@ballast/lab';
import { writeBuiltInImages } from '@ballast/node';
import { installation } from './installation.ts';
import type { Progress } from './progress.ts';

/** The port of the host at which labs like to show their API server. */
const WISHED_PORT = 16443;

/** Brings a lab up, with the images that all its nodes share. */
export async function bringUp(options: {
  name: string;
  agents: number;
  owner: string;
  foreground?: boolean;
  progress: Progress;
}): Promise<Lab> {
  const logger = createLogger({ level: 'warn' });
  await writeBuiltInImages({ imageDir: installation.images, logger });
  return Lab.start({
    name: options.name,
    agents: options.agents,
    owner: options.owner,
    foreground: options.foreground ?? false,
    ballast: installation.command,
    imageDir: installation.images,
    hostPort: WISHED_PORT,
    clock: systemClock,
    logger,
    onProgress: (step) => options.progress.step(step),
  });
}
