import { copyFile, stat, truncate } from 'node:fs/promises';

/** A log file is turned over at this size; one older generation is kept as FILE.1. */
export const MAX_LOG_BYTES = 16 * 1024 * 1024;

/**
 * Turns a log file over when it has grown too large: copies it to FILE.1 and empties it; true if it did. The writer keeps its descriptor
 * (it must append), so it neither waits for nor depends on whoever calls this; a line written during the copy may be lost.
 */
export async function turnOverLog(path: string, maxBytes = MAX_LOG_BYTES): Promise<boolean> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size < maxBytes) return false;
  await copyFile(path, `${path}.1`);
  await truncate(path, 0);
  return true;
}
