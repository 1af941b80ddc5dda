import { FREEZABLE, roleProcesses } from './faults.ts';
import type { Lab } from './lab.ts';
import type { MachineRole } from './topology.ts';

export interface MachineStatus {
  readonly name: string;
  readonly role: MachineRole;
  readonly address?: string;
  readonly power: 'on' | 'off';
  /** Roles and services whose processes run. */
  readonly roles: readonly string[];
}

export interface LabStatus {
  readonly name: string;
  readonly startedAt: string;
  readonly kubeconfig: string;
  readonly machines: readonly MachineStatus[];
}

/** What of a lab is on and runs, read from the kernel rather than from notes. */
export async function labStatus(lab: Lab): Promise<LabStatus> {
  const machines: MachineStatus[] = [];
  for (const { name, role, address } of lab.topology.machines) {
    const power = (await lab.machine(name).pid()) === undefined ? 'off' : 'on';
    machines.push({
      name,
      role,
      ...(address === undefined ? {} : { address }),
      power,
      roles: role === 'server' || role === 'agent' ? await runningRoles(lab, name) : [],
    });
  }
  return {
    name: lab.name,
    startedAt: new Date(lab.state.startedMs).toISOString(),
    kubeconfig: lab.kubeconfigPath,
    machines,
  };
}

async function runningRoles(lab: Lab, node: string): Promise<string[]> {
  const found = await Promise.all(
    FREEZABLE.map(async (role) => ((await roleProcesses(lab, node, role)).length > 0 ? [role] : [])),
  );
  return found.flat();
}
