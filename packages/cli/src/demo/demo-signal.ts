/** The user's wish to end, from Ctrl-C, kill, or a terminal that was closed. */
export interface DemoSignal extends Disposable {
  readonly signal: AbortSignal;
  readonly requested: Promise<void>;
}

/**
 * Listens for SIGINT, SIGTERM and SIGHUP. The first one asks for the end; later ones change nothing, because taking the lab down is quick, and
 * because under npm one Ctrl-C arrives twice: from the terminal and from npm.
 */
export function demoSignal(say: (text: string) => void): DemoSignal {
  const controller = new AbortController();
  const requested = Promise.withResolvers<void>();
  const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const onSignal = () => {
    if (controller.signal.aborted) return;
    say('\ntaking the lab down\n');
    controller.abort();
    requested.resolve();
  };
  for (const name of names) process.on(name, onSignal);
  // Listening for signals does not keep a process alive.
  const alive = setInterval(() => {}, 0x7fff_ffff);
  return {
    signal: controller.signal,
    requested: requested.promise,
    [Symbol.dispose]() {
      clearInterval(alive);
      for (const name of names) process.off(name, onSignal);
    },
  };
}
