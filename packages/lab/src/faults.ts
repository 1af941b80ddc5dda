import { BallastError } from '@ballast/base';
import { ROLES, type RoleName } from '@ballast/cluster';
import type { Lab } from './lab.ts';
import { setCable, setLoss } from './lan.ts';
import { nodesOf } from './topology.ts';

/** What can be done to a lab, as verbs. Each resolves when it has happened. */
export const faults = {
  /** Power cut: every process of the machine dies at once, its disk stays. */
  kill: (lab: Lab, machine: string) => lab.powerOff(machine),
  /** Power on after a power cut. */
  start: (lab: Lab, machine: string) => lab.powerOn(machine),
  /** Pulls the machine's cable. */
  cut: (lab: Lab, machine: string) => setCable(lab.lanSwitch, lab.machine(machine).name, false),
  /** Puts the cable back. */
  mend: (lab: Lab, machine: string) => setCable(lab.lanSwitch, lab.machine(machine).name, true),
  /** Drops a share of the machine's frames, both ways; 0 ends it. */
  loss: async (lab: Lab, machine: string, percent: number) => {
    if (!(percent >= 0 && percent <= 100))
      throw new BallastError('lab-loss', `a loss is 0 to 100 percent, not ${percent}`);
    await setLoss(lab.lanSwitch, lab.machine(machine).name, percent);
  },
  /** Stops a role's process without ending it (SIGSTOP): connections stay, nothing answers. */
  freeze: (lab: Lab, node: string, role: string) => signalRole(lab, { node, role, signal: 'SIGSTOP' }),
  thaw: (lab: Lab, node: string, role: string) => signalRole(lab, { node, role, signal: 'SIGCONT' }),
  /** Kills a role's process (SIGKILL); its supervisor starts it again. */
  killRole: (lab: Lab, node: string, role: string) => signalRole(lab, { node, role, signal: 'SIGKILL' }),
  /** Ends FRR and starts it again after a second: sessions drop, routes go. */
  restartRouter: async (lab: Lab) => {
    const pids = await lab.machine('router').processes((argv) => /\/(zebra|bgpd)$/.test(argv[0] ?? ''));
    for (const pid of pids) process.kill(pid, 'SIGTERM');
  },
} as const;

/** Beside the roles: 'supervisor' and 'containerd'. */
export const FREEZABLE = [...ROLES, 'supervisor', 'containerd'] as const;

/** Host PIDs of a role's processes on a node. */
export async function roleProcesses(lab: Lab, node: string, role: string): Promise<number[]> {
  if (!nodesOf(lab.topology).some(({ name }) => name === node)) {
    const names = nodesOf(lab.topology).map(({ name }) => name);
    throw new BallastError('lab-machine', `${node} is no node; there are ${names.join(', ')}`);
  }
  if (!FREEZABLE.includes(role as RoleName)) {
    throw new BallastError('lab-role', `there is no role "${role}"; there are ${FREEZABLE.join(', ')}`);
  }
  return lab.machine(node).processes((argv) => {
    if (role === 'containerd') return /(^|\/)containerd$/.test(argv[0] ?? '');
    // The command line of PID 1 ends like the supervisor's, which it runs.
    const isNode = /(^|\/)node\d*$/.test(argv[0] ?? '');
    if (role === 'supervisor') return isNode && /^(server|agent)$/.test(argv.at(-1) ?? '');
    const at = argv.indexOf('role');
    return at > 0 && argv[at + 1] === role;
  });
}

async function signalRole(lab: Lab, options: { node: string; role: string; signal: NodeJS.Signals }): Promise<void> {
  const { node, role, signal } = options;
  const pids = await roleProcesses(lab, node, role);
  if (pids.length === 0) throw new BallastError('lab-role', `no ${role} runs on ${node} at the moment`);
  for (const pid of pids) process.kill(pid, signal);
}
