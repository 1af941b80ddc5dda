import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  Backoff,
  type Clock,
  type Logger,
  type Running,
  runInBackground,
  turnOverLog,
  writeFileAtomic,
} from '@ballast/base';
import { findProcess, formatProcessIdentity, identifyProcess } from '@ballast/linux';
import { lastLines, openLog } from './role-log.ts';

export interface RoleProcessOptions {
  readonly name: string;
  /** Program and arguments; the process gets an IPC channel (process.send) as its leash. */
  readonly command: readonly [string, ...string[]];
  readonly logPath: string;
  /** Folder for NAME.pid. */
  readonly pidDir: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly logger: Logger;
  readonly clock: Clock;
  /** How long an ending role may take before it is killed; 10 s by default. */
  readonly stopTimeoutMs?: number;
}

export interface RoleProcess extends Running {
  /** Resolves when the role first said that it is ready. */
  readonly ready: Promise<void>;
  /** PID of the process that runs now. */
  readonly pid: number | undefined;
}

/** A role that lived this long has started well: the next failure starts from the shortest delay again. */
const HEALTHY_AFTER_MS = 10_000;
/** A log line is shown up to here in the supervisor's own log. */
const MAX_SHOWN_LINE = 400;
const ROTATE_EVERY_MS = 30_000;

/**
 * Keeps one role running: starts it, notes when it is ready, starts it again when it ends, however it ends, after 0.1 s growing to 10 s.
 *
 * The role writes straight to its log file, so neither a stopped nor a dead supervisor can block it. Its leash is the IPC channel: the
 * kernel closes that when the supervisor dies, and the role ends itself. A role that could not (because it was frozen) is found by its pid
 * file at the next start and killed before its successor starts.
 */
export function startRoleProcess(options: RoleProcessOptions): RoleProcess {
  const { name, logger, clock, logPath } = options;
  const pidPath = join(options.pidDir, `${name}.pid`);
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => {});
  let current: ChildProcess | undefined;

  const running = runInBackground(async (signal) => {
    const backoff = new Backoff({ minMs: 200, maxMs: 10_000 });
    await killLeftover(pidPath, logger);
    using _rotation = rotateRegularly(options);
    while (!signal.aborted) {
      const startedMs = clock.monotonicMs();
      const onReady = () => {
        logger.info('role ready', { name, afterMs: Math.round(clock.monotonicMs() - startedMs) });
        ready.resolve();
      };
      let child: ChildProcess;
      let ended: Promise<string>;
      try {
        ({ child, ended } = await spawnRole(options, onReady));
      } catch (error) {
        const delayMs = Math.round(backoff.next());
        logger.error('role cannot be started, trying again', { name, error, delayMs });
        await clock.sleep(delayMs, signal);
        continue;
      }
      current = child;
      // Without the file (the disk is full) a frozen role would not be found after our death; that must not keep it from running now.
      await notePid(pidPath, child).catch((error: unknown) => logger.warn('pid file not written', { name, error }));
      const stop = () => stopChild(child, clock, options.stopTimeoutMs ?? 10_000);
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      const why = await ended;
      signal.removeEventListener('abort', stop);
      current = undefined;
      if (signal.aborted) break;
      if (clock.monotonicMs() - startedMs > HEALTHY_AFTER_MS) backoff.reset();
      const delayMs = Math.round(backoff.next());
      const lines = (await lastLines(logPath, 3)).map((line) => line.slice(0, MAX_SHOWN_LINE));
      logger.warn('role ended, starting it again', { name, why, delayMs, log: logPath, lastLines: lines });
      await clock.sleep(delayMs, signal);
    }
    await rm(pidPath, { force: true });
  });
  return {
    ready: ready.promise,
    get pid() {
      return current?.pid;
    },
    done: running.done,
    async [Symbol.asyncDispose]() {
      await running[Symbol.asyncDispose]();
      ready.reject(new DOMException(`role ${name} was stopped`, 'AbortError'));
    },
  };
}

/** Starts the process; `ended` says how it ended, or why there is none. */
async function spawnRole(
  options: RoleProcessOptions,
  onReady: () => void,
): Promise<{ child: ChildProcess; ended: Promise<string> }> {
  const log = await openLog(options.logPath);
  try {
    const [program, ...args] = options.command;
    // A session of its own: Ctrl-C in the supervisor's terminal is the supervisor's to handle, in its order.
    const child = spawn(program, args, {
      detached: true,
      stdio: ['ignore', log.fd, log.fd, 'ipc'],
      ...(options.env === undefined ? {} : { env: options.env }),
    });
    const ended = Promise.withResolvers<string>();
    child.on('error', (error) => ended.resolve(error.message));
    child.on('exit', (code, killedBy) => ended.resolve(killedBy ? `killed by ${killedBy}` : `exit ${code}`));
    child.on('message', (message: unknown) => {
      if (typeof message === 'object' && message !== null && 'type' in message && message.type === 'ready') onReady();
    });
    return { child, ended: ended.promise };
  } finally {
    await log.close();
  }
}

async function notePid(pidPath: string, child: ChildProcess): Promise<void> {
  const identity = child.pid === undefined ? undefined : await identifyProcess(child.pid);
  if (!identity) return;
  await mkdir(dirname(pidPath), { recursive: true, mode: 0o700 });
  await writeFileAtomic(pidPath, formatProcessIdentity(identity));
}

function stopChild(child: ChildProcess, clock: Clock, timeoutMs: number): void {
  child.kill('SIGTERM');
  // A frozen role takes no notice of SIGTERM.
  const timer = clock.timer(timeoutMs, () => child.kill('SIGKILL'));
  child.once('exit', () => timer[Symbol.dispose]());
}

async function killLeftover(pidPath: string, logger: Logger): Promise<void> {
  const leftover = await findProcess(pidPath);
  if (!leftover || leftover.pid === process.pid) return;
  logger.warn('killing what an earlier supervisor left behind', { pid: leftover.pid, pidFile: pidPath });
  process.kill(leftover.pid, 'SIGKILL');
}

function rotateRegularly(options: Pick<RoleProcessOptions, 'logPath' | 'clock' | 'logger' | 'name'>): Disposable {
  const { clock, logPath, logger, name } = options;
  let timer: Disposable;
  const again = () => {
    timer = clock.timer(ROTATE_EVERY_MS, () => {
      turnOverLog(logPath).catch((error: unknown) => logger.warn('log cannot be turned over', { name, error }));
      again();
    });
  };
  again();
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
}
