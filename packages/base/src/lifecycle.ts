import { isAbort } from './abort.ts';
import type { Logger } from './logger.ts';

/** What every long-running part returns from its `start…` function. Disposing stops it and waits until it has stopped. */
export interface Running extends AsyncDisposable {
  /** Rejects when the part fails for good; resolves after it was disposed. */
  readonly done: Promise<void>;
}

/** Runs `body` in the background until disposed: its signal aborts, and disposal waits for it to return. */
export function runInBackground(body: (signal: AbortSignal) => Promise<void>): Running {
  const controller = new AbortController();
  const done = body(controller.signal).catch((error: unknown) => {
    if (!controller.signal.aborted || !isAbort(error)) throw error;
  });
  done.catch(() => {});
  return {
    done,
    async [Symbol.asyncDispose]() {
      controller.abort();
      await done.catch(() => {});
    },
  };
}

/** An AbortSignal that fires on SIGINT or SIGTERM. A second signal ends the process at once with the shell's code (128 + number). */
export function signalOfTermination(logger: Logger): AbortSignal {
  const controller = new AbortController();
  for (const [name, exitCode] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(exitCode);
      logger.info('stopping', { signal: name });
      controller.abort();
    });
  }
  return controller.signal;
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
