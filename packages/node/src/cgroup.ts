import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '@ballast/base';

const MOUNT_POINT = '/sys/fs/cgroup';

/** The hierarchies of cgroup v1, or the one of v2. */
async function hierarchies(): Promise<string[]> {
  const entries = await readdir(MOUNT_POINT, { withFileTypes: true });
  if (entries.some(({ name }) => name === 'cgroup.controllers')) return [MOUNT_POINT];
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(MOUNT_POINT, entry.name));
}

/** Removes a cgroup and what is below it, in every hierarchy. Only empty ones can go; others are left alone. */
export async function removePodCgroup(path: string): Promise<void> {
  for (const hierarchy of await hierarchies()) await removeTree(join(hierarchy, path));
}

async function removeTree(path: string): Promise<void> {
  const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(path, entry.name));
  try {
    await rmdir(path);
  } catch (error) {
    if (!['ENOENT', 'EBUSY', 'ENOTEMPTY'].includes(errnoOf(error) ?? '')) throw error;
  }
}
