import { spawn } from 'node:child_process';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Clock,
  errnoOf,
  type Logger,
  messageOf,
  type Running,
  runInBackground,
  turnOverLog,
  writeFileAtomic,
} from '@ballast/base';
import { runAnyExit } from '@ballast/linux';
import { createCriClient } from '../cri/client.ts';
import { PAUSE_IMAGE } from '../image/built-in-images.ts';
import { containerdConfig } from './config.ts';

export interface ContainerdOptions {
  /** Persistent data go to `${stateDir}/containerd`. */
  readonly stateDir: string;
  /** Volatile data: socket, pid file, running containers. For example /run/ballast/containerd. */
  readonly runDir: string;
  readonly cniConfDir: string;
  readonly cniBinDir: string;
  readonly sandboxImage?: string;
  /** Program to start; 'containerd' from PATH by default. */
  readonly command?: string;
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface RunningContainerd extends Running {
  /** The CRI socket, for the node agent. */
  readonly socketPath: string;
  /** True when a containerd that was already there has been taken over. */
  readonly adopted: boolean;
}

const START_TIMEOUT_MS = 30_000;
const POLL_MS = 20;

/**
 * Starts containerd, or takes over the one that an earlier run left behind, and keeps it running: when it dies it is started again. Pods
 * are children of containerd's shims, so neither its death nor ours stops them. Disposing stops containerd and leaves the pods alone.
 *
 * It belongs to the supervisor, not to the node role, so that killing that role does not even make containerd reconnect to its shims.
 */
export async function startContainerd(options: ContainerdOptions): Promise<RunningContainerd> {
  const { logger, clock } = options;
  const socketPath = join(options.runDir, 'containerd.sock');
  const pidPath = join(options.runDir, 'containerd.pid');
  const rootDir = join(options.stateDir, 'containerd');
  const registryConfigDir = join(options.stateDir, 'registries');
  for (const folder of [rootDir, options.runDir, registryConfigDir, options.cniConfDir]) {
    await mkdir(folder, { recursive: true, mode: 0o711 });
  }
  const configPath = join(rootDir, 'config.toml');
  const content = containerdConfig({
    rootDir: join(rootDir, 'root'),
    runDir: join(options.runDir, 'state'),
    socketPath,
    cniConfDir: options.cniConfDir,
    cniBinDir: options.cniBinDir,
    sandboxImage: options.sandboxImage ?? PAUSE_IMAGE,
    registryConfigDir,
    snapshotter: await pickSnapshotter(rootDir),
    restrictOomScoreAdj: !(await hasCapability(CAP_SYS_RESOURCE)),
  });
  await writeFileAtomic(configPath, content, 0o644);

  const start = async (): Promise<number> => {
    const log = await open(join(rootDir, 'containerd.log'), 'a', 0o640);
    try {
      // An own session: a signal to the supervisor's terminal or process group does not reach containerd and its shims.
      const child = spawn(options.command ?? 'containerd', ['--config', configPath], {
        detached: true,
        stdio: ['ignore', log.fd, log.fd],
        cwd: '/',
      });
      const pid = await new Promise<number>((resolve, reject) => {
        child.once('error', reject);
        child.once('spawn', () => resolve(child.pid ?? 0));
      });
      child.unref();
      await writeFileAtomic(pidPath, `${pid}\n`, 0o644);
      return pid;
    } finally {
      await log.close();
    }
  };

  const earlier = await readPid(pidPath);
  const adopted = earlier !== undefined && (await isContainerd(earlier));
  let pid = adopted ? earlier : await start();
  await waitUntilReady({ socketPath, clock, pid, logPath: join(rootDir, 'containerd.log') });
  logger.info(adopted ? 'containerd adopted' : 'containerd ready', { pid, socket: socketPath });

  const watching = runInBackground(async (signal) => {
    for (;;) {
      await clock.sleep(500, signal);
      await turnOverLog(join(rootDir, 'containerd.log')).catch((error: unknown) =>
        logger.warn('log of containerd cannot be turned over', { error: messageOf(error) }),
      );
      if (await isContainerd(pid)) continue;
      logger.warn('containerd died, starting it again', { pid });
      try {
        pid = await start();
      } catch (error) {
        logger.error('containerd cannot be started', { error });
      }
      await clock.sleep(500, signal);
    }
  });

  return {
    socketPath,
    adopted,
    done: watching.done,
    async [Symbol.asyncDispose]() {
      await watching[Symbol.asyncDispose]();
      try {
        process.kill(pid, 'SIGTERM');
        while (await isContainerd(pid)) await clock.sleep(POLL_MS);
      } catch (error) {
        if (errnoOf(error) !== 'ESRCH') throw error;
      }
      await rm(pidPath, { force: true });
    },
  };
}

async function readPid(path: string): Promise<number | undefined> {
  const content = await readFile(path, 'utf8').catch(() => '');
  const pid = Number.parseInt(content, 10);
  return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
}

/** A pid can have been given to another program since; the name in /proc tells. A zombie does not count. */
async function isContainerd(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const match = /^\d+ \((.*)\) (\S)/s.exec(stat);
  return match?.[1] === 'containerd' && match[2] !== 'Z';
}

async function waitUntilReady(options: {
  socketPath: string;
  clock: Clock;
  pid: number;
  logPath: string;
}): Promise<void> {
  const { clock, pid, logPath } = options;
  const deadline = clock.monotonicMs() + START_TIMEOUT_MS;
  using cri = createCriClient(options.socketPath);
  for (;;) {
    try {
      await cri.version({}, { timeoutMs: 1000 });
      return;
    } catch (error) {
      const log = () => readFile(logPath, 'utf8').then((text) => text.trim().split('\n').slice(-5).join('\n'));
      if (!(await isContainerd(pid))) throw new Error(`containerd ended at its start: ${await log()}`);
      if (clock.monotonicMs() > deadline) {
        throw new Error(
          `containerd does not answer after ${START_TIMEOUT_MS} ms (${messageOf(error)}): ${await log()}`,
        );
      }
      await clock.sleep(POLL_MS);
    }
  }
}

const CAP_SYS_RESOURCE = 24n;

async function hasCapability(bit: bigint): Promise<boolean> {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(await readFile('/proc/self/status', 'utf8'))?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> bit) & 1n) === 1n;
}

/** overlayfs when a trial mount in `folder` works (it does not on top of another overlay), else plain copies. */
async function pickSnapshotter(folder: string): Promise<'overlayfs' | 'native'> {
  const trial = join(folder, 'overlay-trial');
  const dirs = ['lower', 'upper', 'work', 'merged'].map((name) => join(trial, name));
  for (const dir of dirs) await mkdir(dir, { recursive: true });
  const [lower, upper, work, merged] = dirs;
  const options = `lowerdir=${lower},upperdir=${upper},workdir=${work}`;
  const mounted = await runAnyExit('mount', ['-t', 'overlay', 'overlay', '-o', options, String(merged)]);
  if (mounted.exitCode === 0) await runAnyExit('umount', [String(merged)]);
  await rm(trial, { recursive: true, force: true });
  return mounted.exitCode === 0 ? 'overlayfs' : 'native';
}

/** The folder in which a node's containerd keeps its socket, given the folder for volatile data. */
export function containerdSocket(runDir: string): string {
  return join(runDir, 'containerd.sock');
}
