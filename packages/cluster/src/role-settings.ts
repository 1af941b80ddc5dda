import { readFile } from 'node:fs/promises';
import { writeFileAtomic } from '@ballast/base';
import type { ClusterSettings, NodeSettings } from './settings.ts';

export const ROLES = ['apiserver', 'controller', 'node', 'dns'] as const;
export type RoleName = (typeof ROLES)[number];

/** What a role's process is told at its start: plain facts, and paths of secrets rather than secrets. */
export interface RoleSettings {
  readonly node: NodeSettings & { readonly nodeIp: string };
  readonly cluster: ClusterSettings;
  /** Where this machine reaches the API server. */
  readonly apiHost: string;
  readonly apiPort: number;
  /** Only on a server. */
  readonly server?: {
    readonly bindAddress: string;
    readonly advertiseAddress: string;
  };
  readonly containerdSocket: string;
}

/** Handed over as a file of mode 0600: everybody can read a command line. */
export async function writeRoleSettings(path: string, settings: RoleSettings): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify(settings)}\n`);
}

export async function readRoleSettings(path: string): Promise<RoleSettings> {
  return JSON.parse(await readFile(path, 'utf8')) as RoleSettings;
}

/** The node's own facts out of a machine's settings, and nothing else of them. */
export function nodeFacts(settings: NodeSettings, nodeIp: string): RoleSettings['node'] {
  const { dataDir, runDir, nodeName, labels, taints, imageDir, cniBinDir, debug } = settings;
  return { dataDir, runDir, nodeName, nodeIp, labels, taints, imageDir, cniBinDir, debug };
}
