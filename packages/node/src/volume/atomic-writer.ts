import { randomBytes } from 'node:crypto';
import {
  chmod,
  lchown,
  lstat,
  mkdir,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BallastError } from '@ballast/base';

/** A file of a volume that is written as a whole. */
export interface PayloadFile {
  readonly content: Uint8Array;
  readonly mode: number;
}

/** Relative path to file. */
export type Payload = ReadonlyMap<string, PayloadFile>;

/** Throws when a path could leave the volume or disturb the writer's own names. */
export function checkPayloadPath(path: string): void {
  const parts = path.split('/');
  if (path === '' || path.length > 4096 || parts.some((part) => part === '..' || part === '' || part.length > 255)) {
    throw new BallastError('path-invalid', `invalid path "${path}" in a volume`);
  }
  if (path.startsWith('..')) throw new BallastError('path-invalid', `path "${path}" must not start with '..'`);
}

/**
 * Writes files so that a reader sees either all of the old or all of the new ones: they live in a folder with a random name, `..data` is a
 * symbolic link to it that is replaced by a rename, and what users open (`target/key`) is a link through `..data`. The same layout as
 * kubelet's, since programs watch `..data` for changes. Returns whether anything had to be written.
 */
export async function writeAtomically(options: {
  readonly target: string;
  readonly payload: Payload;
  /** Owning group, for fsGroup. */
  readonly gid?: number | undefined;
}): Promise<boolean> {
  const { target, payload, gid } = options;
  for (const path of payload.keys()) checkPayloadPath(path);
  await mkdir(target, { recursive: true, mode: 0o755 });
  const dataLink = join(target, '..data');
  const before = await readlink(dataLink).catch(() => undefined);
  if (before !== undefined && (await isCurrent(join(target, before), payload))) return false;

  const stamp = new Date().toISOString().replace(/[-:T]/g, '_').slice(0, 19);
  const fresh = `..${stamp}.${randomBytes(5).toString('hex')}`;
  const freshDir = join(target, fresh);
  try {
    await writeFiles(freshDir, payload, gid);
  } catch (error) {
    // The disk may be full: what each further try left behind would keep it so.
    await rm(freshDir, { recursive: true, force: true });
    throw error;
  }
  const temporary = join(target, '..data_tmp');
  await rm(temporary, { force: true });
  await symlink(fresh, temporary);
  await rename(temporary, dataLink);

  const visible = new Set([...payload.keys()].map((path) => path.split('/')[0] ?? path));
  for (const name of visible) {
    const link = join(target, name);
    const present = await readlink(link).catch(() => undefined);
    if (present !== undefined) continue;
    await symlink(join('..data', name), link);
  }
  for (const name of await readdir(target)) {
    if (name.startsWith('..')) {
      if (name !== '..data' && name !== fresh) await rm(join(target, name), { recursive: true, force: true });
    } else if (!visible.has(name)) await rm(join(target, name), { force: true });
  }
  return true;
}

async function writeFiles(folder: string, payload: Payload, gid: number | undefined): Promise<void> {
  await mkdir(folder, { mode: 0o755 });
  await chmod(folder, 0o755);
  if (gid !== undefined) await lchown(folder, 0, gid);
  for (const [path, file] of payload) {
    const at = join(folder, path);
    await mkdir(dirname(at), { recursive: true, mode: 0o755 });
    const mode = gid === undefined ? file.mode : file.mode | 0o440;
    await writeFile(at, file.content, { mode });
    await chmod(at, mode);
    if (gid !== undefined) await lchown(at, 0, gid);
  }
}

async function isCurrent(folder: string, payload: Payload): Promise<boolean> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => undefined);
  if (!entries) return false;
  if (entries.filter((entry) => entry.isFile()).length !== payload.size) return false;
  for (const [path, file] of payload) {
    const at = join(folder, path);
    const content = await readFile(at).catch(() => undefined);
    if (content === undefined || !content.equals(file.content)) return false;
    const info = await lstat(at);
    if ((info.mode & file.mode) !== file.mode) return false;
  }
  return true;
}
