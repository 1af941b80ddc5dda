import { flushCompileCache } from 'node:module';
import { connect } from 'node:net';
import { aborted, type Clock, createLogger, MetricsRegistry, signalOfTermination, systemClock } from '@ballast/base';
import { layoutOf } from '../layout.ts';
import { type RoleName, readRoleSettings } from '../role-settings.ts';
import type { RoleMain } from './role-main.ts';

/** How long a role that needs the API waits for it before it starts anyway, and says itself that there is none. */
const API_WAIT_MS = 20_000;

/** Resolves when the API server takes connections, or after API_WAIT_MS. */
async function waitForApi(options: {
  apiHost: string;
  apiPort: number;
  clock: Clock;
  signal: AbortSignal;
}): Promise<void> {
  const { apiHost: host, apiPort: port, clock, signal } = options;
  const deadlineMs = clock.monotonicMs() + API_WAIT_MS;
  while (clock.monotonicMs() < deadlineMs) {
    const accepted = await new Promise<boolean>((resolve) => {
      const socket = connect({ host, port, timeout: 1000 });
      const answer = (value: boolean) => {
        socket.destroy();
        resolve(value);
      };
      socket
        .on('connect', () => answer(true))
        .on('error', () => answer(false))
        .on('timeout', () => answer(false));
    });
    if (accepted) return;
    await clock.sleep(50, signal);
  }
}

/** Each role loads its own rooms only. */
const MAINS: Readonly<Record<RoleName, () => Promise<RoleMain>>> = {
  apiserver: async () => (await import('./apiserver.ts')).runApiServer,
  controller: async () => (await import('./controller.ts')).runController,
  node: async () => (await import('./node.ts')).runNode,
  dns: async () => (await import('./dns.ts')).runDns,
};

/** The main function of a role's process. Resolves with its exit code when it was told to stop, or a part of it failed for good. */
export async function runRole(role: RoleName, settingsPath: string): Promise<number> {
  // The leash: the kernel closes this channel when the supervisor dies, however it dies.
  process.on('disconnect', () => process.exit(0));
  const settings = await readRoleSettings(settingsPath);
  const logger = createLogger({ level: settings.node.debug ? 'debug' : 'info', fields: { role } });
  const signal = signalOfTermination(logger);
  const main = await MAINS[role]();
  let failure: unknown;
  {
    await using stack = new AsyncDisposableStack();
    const context = {
      settings,
      layout: layoutOf(settings.node),
      logger,
      clock: systemClock,
      metrics: new MetricsRegistry(),
      signal,
      stack,
    };
    try {
      // The node role has work before the API answers (images to import), and work while it is away.
      if (role === 'controller' || role === 'dns') await waitForApi({ ...settings, clock: systemClock, signal });
      const parts = await main(context);
      process.send?.({ type: 'ready' });
      // Node writes its cache of compiled code when a process ends in order; roles often end otherwise.
      flushCompileCache();
      await Promise.race([aborted(signal), ...parts.map((part) => part.done)]);
      if (!signal.aborted) failure = new Error('a part of the role ended by itself');
    } catch (error) {
      if (!signal.aborted) failure = error;
    }
    if (failure !== undefined) logger.error('role fails', { error: failure });
  }
  return failure === undefined ? 0 : 1;
}
