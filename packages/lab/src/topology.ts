import { BallastError } from '@ballast/base';

/** What stands on the lab's LAN. */
export type MachineRole = 'switch' | 'router' | 'client' | 'server' | 'agent';

export interface MachinePlan {
  readonly name: string;
  readonly role: MachineRole;
  /** Address on the LAN; the switch has none. */
  readonly address?: string;
  /** Of eth0. Derived from the address, so that a machine keeps it over power cuts and people recognise it. */
  readonly mac?: string;
}

export interface Topology {
  readonly lab: string;
  readonly machines: readonly MachinePlan[];
}

/** The LAN (RFC 5737, TEST-NET-1) and who is who on it. */
export const LAN = {
  prefix: '192.0.2.0/24',
  prefixLength: 24,
  router: '192.0.2.1',
  /** Management address of the switch, where the host's way into the LAN begins. */
  switch: '192.0.2.2',
  client: '192.0.2.9',
  server: '192.0.2.11',
  pool: '192.0.2.200-192.0.2.250',
  /** Address of the pool that the cluster's DNS takes. */
  dns: '192.0.2.250',
  routerAsn: 64512,
  nodeAsn: 64513,
} as const;

export const MAX_AGENTS = 100;

/** Lays out a lab of one server and `agents` agents; agents are 192.0.2.12 and up. */
export function planTopology(options: { lab: string; agents: number }): Topology {
  const { lab, agents } = options;
  if (!/^[a-z][a-z0-9-]{0,15}$/.test(lab)) {
    throw new BallastError(
      'lab-name',
      `"${lab}" cannot name a lab: use up to 16 lower-case letters, digits and dashes, a letter first`,
    );
  }
  if (!Number.isInteger(agents) || agents < 0 || agents > MAX_AGENTS) {
    throw new BallastError('lab-size', `a lab has 0 to ${MAX_AGENTS} agents, not ${agents}`);
  }
  const machine = (name: string, role: MachineRole, last: number): MachinePlan => ({
    name,
    role,
    address: `192.0.2.${last}`,
    mac: `02:ba:11:a5:00:${last.toString(16).padStart(2, '0')}`,
  });
  return {
    lab,
    machines: [
      { name: 'switch', role: 'switch' },
      machine('router', 'router', 1),
      machine('client', 'client', 9),
      machine('server', 'server', 11),
      ...Array.from({ length: agents }, (_, i) => machine(`agent-${i + 1}`, 'agent', 12 + i)),
    ],
  };
}

/** The machines that are nodes of the cluster, server first. */
export function nodesOf(topology: Topology): MachinePlan[] {
  return topology.machines.filter(({ role }) => role === 'server' || role === 'agent');
}

/** The machine of that name; an error lists the names there are. */
export function machineNamed(topology: Topology, name: string): MachinePlan {
  const found = topology.machines.find((machine) => machine.name === name);
  if (found) return found;
  const names = topology.machines.map((machine) => machine.name).join(', ');
  throw new BallastError('lab-machine', `lab ${topology.lab} has no machine "${name}"; there are ${names}`);
}
