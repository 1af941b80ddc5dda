import { mkdir } from 'node:fs/promises';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { type Clock, type Logger, type Running, runInBackground } from '@ballast/base';
import type { Layout } from './layout.ts';
import { type RoleProcess, startRoleProcess } from './role-process.ts';
import { type RoleName, type RoleSettings, writeRoleSettings } from './role-settings.ts';

export interface SupervisorOptions {
  readonly layout: Layout;
  readonly settings: RoleSettings;
  readonly roles: readonly RoleName[];
  /** Program and first arguments that run a role; the role's name and its settings file are appended. */
  readonly roleCommand: readonly [string, ...string[]];
  readonly logger: Logger;
  readonly clock: Clock;
}

export interface Supervisor extends Running {
  readonly roles: ReadonlyMap<RoleName, RoleProcess>;
  /** Resolves when every role has said that it is ready. */
  readonly ready: Promise<void>;
}

/** Starts one process per role, all at once (each waits for what it needs), and keeps them. Disposing stops them, last one first. */
export async function startSupervisor(options: SupervisorOptions): Promise<Supervisor> {
  const { layout, logger, clock } = options;
  await mkdir(layout.roles, { recursive: true, mode: 0o700 });
  await writeRoleSettings(layout.roleSettings, options.settings);
  const roles = new Map<RoleName, RoleProcess>();
  for (const name of options.roles) {
    const role = startRoleProcess({
      name,
      command: [...options.roleCommand, name, '--settings', layout.roleSettings],
      logPath: join(layout.logs, `${name}.log`),
      pidDir: layout.roles,
      logger,
      clock,
    });
    roles.set(name, role);
  }
  // See runRole: the supervisor may be killed as well.
  const ready = Promise.all([...roles.values()].map((role) => role.ready)).then(() => flushCompileCache());
  ready.catch(() => {});
  const running = runInBackground(async () => {
    await Promise.all([...roles.values()].map((role) => role.done));
  });
  return {
    roles,
    ready,
    done: running.done,
    async [Symbol.asyncDispose]() {
      for (const role of [...roles.values()].reverse()) await role[Symbol.asyncDispose]();
      await running[Symbol.asyncDispose]();
    },
  };
}
