import { aborted, createLogger, MetricsRegistry, signalOfTermination, systemClock } from '@ballast/base';
import { layoutOf } from '../layout.ts';
import { type RoleName, readRoleSettings } from '../role-settings.ts';
import type { RoleMain } from './role-main.ts';

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
      const parts = await main(context);
      process.send?.({ type: 'ready' });
      await Promise.race([aborted(signal), ...parts.map((part) => part.done)]);
      if (!signal.aborted) failure = new Error('a part of the role ended by itself');
    } catch (error) {
      if (!signal.aborted) failure = error;
    }
    if (failure !== undefined) logger.error('role fails', { error: failure });
  }
  return failure === undefined ? 0 : 1;
}
