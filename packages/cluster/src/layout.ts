import { join } from 'node:path';

/** Where a machine keeps what, below its data directory (kept) and its run directory (lost at a reboot, and meant to be). */
export interface Layout {
  readonly serverTls: string;
  readonly serverToken: string;
  readonly nodePasswordHashes: string;
  readonly store: string;
  readonly agentTls: string;
  readonly nodePassword: string;
  readonly joined: string;
  readonly nodeState: string;
  readonly cniConf: string;
  readonly logs: string;
  readonly containerdRun: string;
  readonly roles: string;
  readonly roleSettings: string;
}

export function layoutOf(settings: { readonly dataDir: string; readonly runDir: string }): Layout {
  const { dataDir, runDir } = settings;
  return {
    serverTls: join(dataDir, 'server/tls'),
    serverToken: join(dataDir, 'server/token'),
    nodePasswordHashes: join(dataDir, 'server/node-passwords.json'),
    store: join(dataDir, 'server/db/state.db'),
    agentTls: join(dataDir, 'agent/tls'),
    nodePassword: join(dataDir, 'agent/node-password'),
    joined: join(dataDir, 'agent/joined.json'),
    nodeState: join(dataDir, 'agent'),
    cniConf: join(dataDir, 'agent/cni'),
    logs: join(dataDir, 'logs'),
    containerdRun: join(runDir, 'containerd'),
    roles: join(runDir, 'roles'),
    roleSettings: join(runDir, 'roles/settings.json'),
  };
}
