import { createReadStream, createWriteStream } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { CriClient } from '../cri/client.ts';

export const MAX_LOG_BYTES = 10 * 1024 * 1024;
/** The current file and four older ones. */
const MAX_FILES = 5;

/** Rotates the log of a running container when it has grown too large; true if it did. Older files but the newest are compressed. */
export async function rotateLog(options: {
  readonly cri: Pick<CriClient, 'reopenContainerLog'>;
  readonly containerId: string;
  readonly path: string;
  readonly nowMs: number;
  readonly maxBytes?: number;
}): Promise<boolean> {
  const { path, cri, containerId } = options;
  const info = await stat(path).catch(() => undefined);
  if (!info || info.size < (options.maxBytes ?? MAX_LOG_BYTES)) return false;
  const stamp = new Date(options.nowMs).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const rotated = `${path}.${stamp}`;
  await rename(path, rotated);
  try {
    await cri.reopenContainerLog({ containerId });
  } catch (error) {
    // The runtime still writes to the renamed file; with its old name back nothing is lost.
    await rename(rotated, path);
    throw error;
  }
  const older = (await readdir(dirname(path)))
    .filter((name) => name.startsWith(`${basename(path)}.`) && !name.endsWith('.tmp'))
    .toSorted()
    .toReversed();
  for (const name of older.slice(MAX_FILES - 1)) await rm(join(dirname(path), name), { force: true });
  for (const name of older.slice(1, MAX_FILES - 1))
    if (!name.endsWith('.gz')) await compress(join(dirname(path), name));
  return true;
}

async function compress(path: string): Promise<void> {
  const temporary = `${path}.gz.tmp`;
  await pipeline(createReadStream(path), createGzip(), createWriteStream(temporary));
  await rename(temporary, `${path}.gz`);
  await rm(path);
}

/** Removes the log of a run with all that was rotated away. */
export async function removeLogs(path: string): Promise<void> {
  const files = await readdir(dirname(path)).catch(() => []);
  for (const name of files) {
    if (name === basename(path) || name.startsWith(`${basename(path)}.`)) await rm(join(dirname(path), name));
  }
}
