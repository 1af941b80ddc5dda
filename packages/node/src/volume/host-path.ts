import { mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { BallastError } from '@ballast/base';

/** Checks that a hostPath volume is what its type says, and creates it for the ...OrCreate types. */
export async function checkHostPath(path: string, type: string | undefined): Promise<void> {
  if (type === undefined || type === '') return;
  const info = await stat(path).catch(() => undefined);
  if (!info && type === 'DirectoryOrCreate') {
    await mkdir(path, { recursive: true, mode: 0o755 });
    return;
  }
  if (!info && type === 'FileOrCreate') {
    await mkdir(dirname(path), { recursive: true, mode: 0o755 });
    await (await open(path, 'a', 0o644)).close();
    return;
  }
  const matches: Record<string, boolean | undefined> = {
    Directory: info?.isDirectory(),
    DirectoryOrCreate: info?.isDirectory(),
    File: info?.isFile(),
    FileOrCreate: info?.isFile(),
    Socket: info?.isSocket(),
    CharDevice: info?.isCharacterDevice(),
    BlockDevice: info?.isBlockDevice(),
  };
  if (matches[type]) return;
  const what = type
    .replace('OrCreate', '')
    .replace(/([a-z])([A-Z])/, '$1 $2')
    .toLowerCase();
  throw new BallastError('host-path-mismatch', `hostPath type check failed: ${path} is not a ${what}`);
}
