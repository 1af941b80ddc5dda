import { run } from '@ballast/linux';
import type { Machine } from './machine.ts';
import { LAN, type MachinePlan } from './topology.ts';

/** Longest name an interface can have, without the closing zero (IFNAMSIZ). */
const MAX_INTERFACE_NAME = 15;

/** The port of the switch that a machine's cable ends in. */
export function portOf(machine: string): string {
  return `p-${machine}`.slice(0, MAX_INTERFACE_NAME);
}

/** Runs ip(8) commands, one a line, in the network namespace of process `pid`. */
function ipIn(pid: number, lines: readonly string[]): Promise<string> {
  return run('nsenter', [`--target=${pid}`, '--net', '--', 'ip', '-batch', '-'], { input: `${lines.join('\n')}\n` });
}

/** The switch itself: a bridge without spanning tree and multicast snooping, as a cheap one in a rack, with an address for management. */
export async function setUpSwitch(pid: number): Promise<void> {
  await ipIn(pid, [
    'link add lan type bridge stp_state 0 mcast_snooping 0',
    'link set lan up',
    `addr add ${LAN.switch}/${LAN.prefixLength} dev lan`,
  ]);
}

/** Lays a cable from the machine's eth0 to the switch and gives eth0 its address. */
export async function plugIn(options: { switchPid: number; pid: number; plan: MachinePlan }): Promise<void> {
  const { switchPid, pid, plan } = options;
  const port = portOf(plan.name);
  const mac = plan.mac === undefined ? '' : `address ${plan.mac} `;
  await run('ip', [...`link add ${port} netns ${switchPid} type veth peer name eth0 ${mac}netns ${pid}`.split(' ')]);
  await ipIn(switchPid, [`link set ${port} master lan up`]);
  const lines = ['link set eth0 up'];
  if (plan.address !== undefined) lines.push(`addr add ${plan.address}/${LAN.prefixLength} dev eth0`);
  if (plan.role !== 'router') lines.push(`route add default via ${LAN.router}`);
  await ipIn(pid, lines);
}

/**
 * Takes the machine's cable away for good; plugIn lays a new one. Not left to the end of the machine's namespace, which the kernel keeps
 * for as long as connections that nobody can finish any more are tried.
 */
export async function unplug(lanSwitch: Machine, machine: string): Promise<void> {
  await lanSwitch.run(['ip', 'link', 'del', portOf(machine)]);
}

/** Pulls (or puts back) a machine's cable: both ends lose carrier. */
export async function setCable(lanSwitch: Machine, machine: string, connected: boolean): Promise<void> {
  await lanSwitch.run(['ip', 'link', 'set', portOf(machine), connected ? 'up' : 'down']);
}

/** The nftables rules that drop `percent` of the frames to and from a machine. 0 percent removes them. */
export function lossRules(machine: string, percent: number): string {
  const table = `loss-${machine}`.replaceAll('-', '_');
  const clear = `add table bridge ${table}\ndelete table bridge ${table}\n`;
  if (percent === 0) return clear;
  const chance = percent === 100 ? '' : `numgen random mod 10000 < ${Math.round(percent * 100)} `;
  const drop = (direction: string) => `${direction} "${portOf(machine)}" ${chance}drop`;
  return `${clear}table bridge ${table} {
  chain forward {
    type filter hook forward priority 0; policy accept;
    ${drop('iifname')}
    ${drop('oifname')}
  }
}
`;
}

/** Makes the switch drop `percent` of a machine's frames. */
export async function setLoss(lanSwitch: Machine, machine: string, percent: number): Promise<void> {
  await lanSwitch.run(['nft', '-f', '-'], { input: lossRules(machine, percent) });
}
