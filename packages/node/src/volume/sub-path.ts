import { mkdir, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { BallastError } from '@ballast/base';

/**
 * The place of a subPath in a volume; created as a folder when there is nothing. Symbolic links are followed, but must not lead out of
 * the volume.
 */
export async function resolveSubPath(volumePath: string, subPath: string): Promise<string> {
  if (subPath.startsWith('/') || subPath.split('/').includes('..')) {
    throw new BallastError('sub-path-invalid', `subPath "${subPath}" must be relative and must not contain '..'`);
  }
  const root = await realpath(volumePath);
  let at = root;
  for (const part of subPath.split('/').filter((name) => name !== '' && name !== '.')) {
    const next = join(at, part);
    const real = await realpath(next).catch(() => undefined);
    if (real === undefined) await mkdir(next, { mode: 0o750 });
    at = real ?? next;
    if (at !== root && !at.startsWith(root + sep)) {
      throw new BallastError('sub-path-invalid', `subPath "${subPath}" leads out of the volume`);
    }
  }
  return at;
}
