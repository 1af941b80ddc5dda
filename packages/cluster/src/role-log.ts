import { copyFile, type FileHandle, mkdir, open, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A role's log file is turned over at this size; one older generation is kept as FILE.1. */
export const MAX_LOG_BYTES = 16 * 1024 * 1024;

/** Opens a log file for a process to append to. */
export async function openLog(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  return open(path, 'a', 0o640);
}

/**
 * Turns the file over when it has grown too large: copies it to FILE.1 and empties it. The writer keeps its descriptor (it appends), so a
 * role writes straight to its file and neither waits for nor depends on the supervisor; a line written during the copy may be lost.
 */
export async function rotateLog(path: string, maxBytes = MAX_LOG_BYTES): Promise<boolean> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size < maxBytes) return false;
  await copyFile(path, `${path}.1`);
  await truncate(path, 0);
  return true;
}

/** The last lines of a log, to be shown when its writer died. */
export async function lastLines(path: string, count: number): Promise<string[]> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return [];
  try {
    const { size } = await file.stat();
    const length = Math.min(size, 16_384);
    const { buffer } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8').trimEnd().split('\n').slice(-count);
  } finally {
    await file.close();
  }
}
