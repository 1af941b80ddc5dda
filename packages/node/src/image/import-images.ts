import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, type Logger, messageOf, type Running, runInBackground, writeFileAtomic } from '@ballast/base';
import { run } from '@ballast/linux';
import type { CriClient } from '../cri/client.ts';

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

/** What was imported: the archive as it was, and the images that came of it. */
interface ImportRecord {
  readonly version: string;
  readonly images: readonly string[];
}

const SCAN_MS = 2000;
/** An archive that cannot be imported (the runtime is away, the disk is full, the file is broken) is tried again after this. */
const RETRY_MS = 60_000;

/**
 * Imports every archive in `imageDir` now, and new or changed ones when they appear. What was imported is remembered in `recordPath`, so
 * that a restart does not import it again as long as the images are there.
 */
export function startImageImporter(options: {
  readonly socketPath: string;
  readonly cri: Pick<CriClient, 'imageStatus'>;
  readonly imageDir: string;
  readonly recordPath: string;
  /** How one archive is imported; through ctr unless said otherwise. */
  readonly importArchive?: typeof importImageArchive;
  readonly logger: Logger;
  readonly clock: Clock;
}): ImageImporter {
  const { cri, imageDir, logger, clock, socketPath, recordPath, importArchive = importImageArchive } = options;
  let records: Map<string, ImportRecord> | undefined;
  const failures = new Map<string, { readonly version: string; readonly untilMs: number }>();
  const isPresent = async (image: string) => (await cri.imageStatus({ image: { image } })).image !== undefined;
  const scan = async () => {
    const isFirst = records === undefined;
    records ??= await readRecords(recordPath);
    const names = await readdir(imageDir).catch(() => []);
    for (const name of names.toSorted()) {
      if (!/\.(tar|tar\.gz|tgz)$/.test(name)) continue;
      const archive = join(imageDir, name);
      const info = await stat(archive).catch(() => undefined);
      if (!info?.isFile()) continue;
      const version = `${info.size}:${info.mtimeMs}`;
      const known = records.get(name);
      const isKnown = known?.version === version;
      const failure = failures.get(name);
      if (failure?.version === version && clock.monotonicMs() < failure.untilMs) continue;
      if (known && isKnown && (!isFirst || (await Promise.all(known.images.map(isPresent))).every(Boolean))) continue;
      try {
        const images = await importArchive({ socketPath, archive });
        logger.info('image archive imported', { archive, images });
        records.set(name, { version, images });
        failures.delete(name);
        await writeFileAtomic(recordPath, JSON.stringify(Object.fromEntries(records)));
      } catch (error) {
        logger.error('image archive cannot be imported', { archive, reason: messageOf(error) });
        failures.set(name, { version, untilMs: clock.monotonicMs() + RETRY_MS });
      }
    }
  };
  const initial = scan();
  initial.catch(() => {});
  const running = runInBackground(async (signal) => {
    for (;;) {
      await initial.catch(() => {});
      await clock.sleep(SCAN_MS, signal);
      await scan().catch((error: unknown) => logger.warn('image folder not read', { error: messageOf(error) }));
    }
  });
  return { ...running, initial };
}

async function readRecords(path: string): Promise<Map<string, ImportRecord>> {
  try {
    const parsed = JSON.parse(await readFile(path, 'utf8')) as Record<string, ImportRecord>;
    return new Map(Object.entries(parsed).filter(([, record]) => record.images.length > 0));
  } catch {
    // Missing or damaged: everything is imported anew, which does no harm.
    return new Map();
  }
}
