import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { BallastError, errnoOf, writeFileAtomic } from '@ballast/base';
import { z } from 'zod';

/** Where labs keep their state unless told otherwise: LAB_ROOT/NAME. */
export const LAB_ROOT = '/var/lib/ballast-lab';

const schema = z.object({
  name: z.string(),
  agents: z.int(),
  /** 'up' also while it comes up: what a crash leaves behind says 'up' and is not. */
  phase: z.enum(['up', 'kept']),
  startedMs: z.number(),
  owner: z.string(),
  /** The process that the lab belongs to and goes with; absent for one that was left running on purpose. */
  foreground: z.object({ pid: z.int(), startTime: z.string() }).optional(),
  hostPort: z.int(),
  /** Machines that a fault switched off: that they do not run is no sign of a crash. */
  poweredOff: z.array(z.string()),
});

/** What is written down about a lab. Everything else is found by the name of its control groups. */
export type LabState = z.output<typeof schema>;

export function labDir(root: string, name: string): string {
  return join(root, name);
}

/** The state of a lab, or undefined when there is none (or what there is cannot be read, as after a crash of the machine). */
export async function readLabState(dir: string): Promise<LabState | undefined> {
  const text = await readFile(join(dir, 'lab.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export async function writeLabState(dir: string, state: LabState): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o711 });
  await writeFileAtomic(join(dir, 'lab.json'), `${JSON.stringify(state, null, 2)}\n`);
}

/** Names of the labs that have a folder. */
export async function labNames(root: string): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
}

/** Removes a lab's folder, and the root when that was the last. */
export async function removeLabDir(root: string, name: string): Promise<void> {
  await rm(labDir(root, name), { recursive: true, force: true });
  if ((await readdir(root).catch(() => ['?'])).length === 0) await rm(root, { recursive: true, force: true });
}

/**
 * Holds the lab's name while it is changed: a socket with an abstract name (unix(7)), which the kernel frees when its holder dies.
 * Undefined when another process holds it.
 */
export async function lockLab(root: string, name: string): Promise<AsyncDisposable> {
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      if (errnoOf(error) !== 'EADDRINUSE') return reject(error);
      reject(
        new BallastError(
          'lab-busy',
          `lab ${name} is being brought up or taken down by another command; wait for that to end`,
        ),
      );
    });
    server.listen({ path: `\0ballast-lab:${root}:${name}` }, resolve);
  });
  server.unref();
  return { [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) };
}
