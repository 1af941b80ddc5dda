import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, type Logger, messageOf, type Running, runInBackground } from '@ballast/base';
import { run } from '@ballast/linux';

/** containerd's namespace for everything that came through CRI. */
const NAMESPACE = 'k8s.io';

/** Imports one OCI or docker archive and pins what it holds, so that no clean-up of unused images takes it. Returns the image names. */
export async function importImageArchive(options: { socketPath: string; archive: string }): Promise<string[]> {
  const ctr = (...args: string[]) => run('ctr', ['--address', options.socketPath, '-n', NAMESPACE, ...args]);
  const output = await ctr('images', 'import', '--digests=false', options.archive);
  const names = [...output.matchAll(/^unpacking (\S+) /gm)].flatMap((match) => (match[1] ? [match[1]] : []));
  for (const name of names) await ctr('images', 'label', name, 'io.cri-containerd.pinned=pinned');
  return names;
}

export interface ImageImporter extends Running {
  /** Resolves when what lay in the folder at the start has been imported. */
  readonly initial: Promise<void>;
}

/** Imports every archive in `imageDir` now, and new or changed ones when they appear (looked for every two seconds). */
export function startImageImporter(options: {
  socketPath: string;
  imageDir: string;
  logger: Logger;
  clock: Clock;
}): ImageImporter {
  const { imageDir, logger, clock, socketPath } = options;
  /** File name to size and time of change of what was imported (or failed). */
  const seen = new Map<string, string>();
  const scan = async () => {
    const names = await readdir(imageDir).catch(() => []);
    for (const name of names.toSorted()) {
      if (!/\.(tar|tar\.gz|tgz)$/.test(name)) continue;
      const archive = join(imageDir, name);
      const info = await stat(archive).catch(() => undefined);
      if (!info?.isFile()) continue;
      const version = `${info.size}:${info.mtimeMs}`;
      if (seen.get(name) === version) continue;
      try {
        const images = await importImageArchive({ socketPath, archive });
        logger.info('image archive imported', { archive, images });
      } catch (error) {
        logger.error('image archive cannot be imported', { archive, reason: messageOf(error) });
      }
      seen.set(name, version);
    }
  };
  const initial = scan();
  initial.catch(() => {});
  const running = runInBackground(async (signal) => {
    await initial;
    for (;;) {
      await clock.sleep(2000, signal);
      await scan();
    }
  });
  return { ...running, initial };
}
