import { type ChildProcess, spawn } from 'node:child_process';
import { abortReason, BallastError } from '@ballast/base';

export interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export interface RunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type RunErrorCode = 'command-missing' | 'command-failed' | 'command-timeout';

/** Most output kept of one stream; more ends the command with an error rather than the memory. */
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

/** Runs a program (no shell) to its end and returns what it printed, whatever its exit code. */
export function runAnyExit(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) return reject(abortReason(options.signal));
    const child: ChildProcess = spawn(command, args, {
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
    });
    const chunks: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
    let size = 0;
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_OUTPUT_BYTES) child.kill('SIGKILL');
        else chunks[name].push(chunk);
      });
    }
    let why: Error | undefined;
    const kill = (reason: Error) => {
      why = reason;
      child.kill('SIGKILL');
    };
    const onAbort = () => kill(abortReason(options.signal));
    options.signal?.addEventListener('abort', onAbort, { once: true });
    const timeout =
      options.timeoutMs === undefined
        ? undefined
        : setTimeout(
            () => kill(new BallastError('command-timeout', `${command} did not end within ${options.timeoutMs} ms`)),
            options.timeoutMs,
          );
    const settle = () => {
      clearTimeout(timeout);
      options.signal?.removeEventListener('abort', onAbort);
    };
    child.on('error', (error: NodeJS.ErrnoException) => {
      settle();
      const missing = error.code === 'ENOENT';
      const message = missing
        ? `${command} is not installed or not in PATH`
        : `cannot start ${command}: ${error.message}`;
      reject(new BallastError(missing ? 'command-missing' : 'command-failed', message, { cause: error }));
    });
    child.on('close', (exitCode, killedBy) => {
      settle();
      if (why) return reject(why);
      const stdout = Buffer.concat(chunks.stdout).toString('utf8');
      const stderr = Buffer.concat(chunks.stderr).toString('utf8');
      resolve({ exitCode: exitCode ?? (killedBy ? 128 : 1), stdout, stderr });
    });
    // A program that ends without reading its input is judged by its exit code, not by the broken pipe.
    child.stdin?.on('error', () => {});
    if (options.input !== undefined) child.stdin?.end(options.input);
  });
}

/** Runs a program to its end; any exit code but 0 is a BallastError 'command-failed' with what it said on stderr. */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const result = await runAnyExit(command, args, options);
  if (result.exitCode === 0) return result.stdout;
  const said = result.stderr.trim() || result.stdout.trim() || 'no message';
  throw new BallastError('command-failed', `${[command, ...args].join(' ')} failed (exit ${result.exitCode}): ${said}`);
}
