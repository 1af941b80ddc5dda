import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { BallastError, errnoOf } from '@ballast/base';

/**
 * The cgroup hierarchies mounted on this machine: one per controller with version 1, one in all with version 2, both side by side in the
 * hybrid layout. A lab owns one subtree of the same name in each, and that subtree is what a lab *is* to the kernel: whatever runs in it
 * belongs to the lab, and nothing else does.
 */
export async function mountedHierarchies(mountInfoPath = '/proc/self/mountinfo'): Promise<string[]> {
  return parseHierarchies(await readFile(mountInfoPath, 'utf8'));
}

/** Mount points of cgroup filesystems in the text of /proc/PID/mountinfo (proc_pid_mountinfo(5)). */
export function parseHierarchies(mountInfo: string): string[] {
  const points = new Set<string>();
  for (const line of mountInfo.split('\n')) {
    const [left = '', right = ''] = line.split(' - ');
    const point = left.split(' ')[4];
    const type = right.split(' ')[0];
    if (point && (type === 'cgroup' || type === 'cgroup2')) points.add(point);
  }
  return [...points];
}

/** Makes `path` (for example '/ballast-lab-demo/server') in every hierarchy, parents included. */
export async function createControlGroup(hierarchies: readonly string[], path: string): Promise<void> {
  for (const root of hierarchies) {
    let at = root;
    for (const part of path.split('/').filter((name) => name !== '')) {
      at = join(at, part);
      await mkdir(at).catch((error: unknown) => {
        if (errnoOf(error) !== 'EEXIST') throw cannot(`make the control group ${at}`, error);
      });
      await inheritCpuset(at);
    }
  }
}

/** A version 1 cpuset starts empty and takes no process until it names CPUs and memory nodes. */
async function inheritCpuset(group: string): Promise<void> {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    const own = await readFile(join(group, file), 'utf8').catch(() => undefined);
    const parent = await readFile(join(group, '..', file), 'utf8').catch(() => undefined);
    // Version 2 leaves the parent's file empty at the root and inherits by itself.
    if (own?.trim() === '' && parent !== undefined && parent.trim() !== '')
      await writeFile(join(group, file), parent.trim());
  }
}

/** PIDs of every process in the subtree of `path`, over all hierarchies. */
export async function processesIn(hierarchies: readonly string[], path: string): Promise<number[]> {
  const pids = new Set<number>();
  for (const root of hierarchies) {
    for (const group of await subtree(join(root, path))) {
      const text = await readFile(join(group, 'cgroup.procs'), 'utf8').catch(() => '');
      for (const line of text.split('\n')) if (line !== '' && line !== '0') pids.add(Number(line));
    }
  }
  return [...pids];
}

/** Kills everything in the subtree of `path` and removes it. Safe to call when there is nothing. */
export async function destroyControlGroup(
  hierarchies: readonly string[],
  path: string,
  sleep: (ms: number) => Promise<void>,
): Promise<void> {
  for (let round = 0; ; round++) {
    const pids = (await processesIn(hierarchies, path)).filter((pid) => pid !== process.pid);
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended in between.
      }
    }
    const stuck = await removeAll(hierarchies, path);
    if (pids.length === 0 && stuck.length === 0) return;
    if (round === 400) {
      const who = pids.length > 0 ? `processes ${pids.join(' ')} do not die` : `${stuck.join(', ')} cannot be removed`;
      throw new BallastError(
        'lab-cleanup',
        `control group ${path}: ${who}; look at them with ps, then run lab down again`,
      );
    }
    await sleep(25);
  }
}

async function removeAll(hierarchies: readonly string[], path: string): Promise<string[]> {
  const stuck: string[] = [];
  for (const root of hierarchies) {
    for (const group of (await subtree(join(root, path))).reverse()) {
      await rmdir(group).catch((error: unknown) => {
        if (errnoOf(error) !== 'ENOENT') stuck.push(group);
      });
    }
  }
  return stuck;
}

/** The group and all groups below it, parents first. Empty when it does not exist. */
async function subtree(group: string): Promise<string[]> {
  const entries = await readdir(group, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return [];
  const below = await Promise.all(entries.filter((e) => e.isDirectory()).map((e) => subtree(join(group, e.name))));
  return [group, ...below.flat()];
}

/** Names of the groups at the top of the hierarchies that start with `prefix`. */
export async function controlGroupsNamed(hierarchies: readonly string[], prefix: string): Promise<string[]> {
  const names = new Set<string>();
  for (const root of hierarchies) {
    for (const name of await readdir(root).catch(() => [])) {
      if (name.startsWith(prefix) && (await stat(join(root, name))).isDirectory()) names.add(basename(name));
    }
  }
  return [...names].sort();
}

function cannot(what: string, error: unknown): BallastError {
  const why = errnoOf(error) ?? String(error);
  const hint = why === 'EROFS' ? '; is this a container without access to control groups?' : '';
  return new BallastError('lab-cgroup', `cannot ${what}: ${why}${hint}`, { cause: error });
}

/** The files to which a process writes "0" to enter the group, one per hierarchy that has it. */
export function cgroupProcsFiles(hierarchies: readonly string[], path: string): string[] {
  return hierarchies.map((root) => join(root, path, 'cgroup.procs')).filter((file) => existsSync(file));
}
