import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second that the kernel counts in /proc (USER_HZ). */
const TICKS_PER_SECOND = 100;

export interface ProcessCost {
  readonly cpuSeconds: number;
  readonly residentMegabytes: number;
}

/** CPU time and memory of a process and all of its descendants until now. */
export function costOf(pid: number): ProcessCost {
  let ticks = 0;
  let kilobytes = 0;
  for (const id of familyOf(pid)) {
    const fields = readStat(id);
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
    kilobytes += Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${id}/status`))?.[1] ?? 0);
  }
  return { cpuSeconds: ticks / TICKS_PER_SECOND, residentMegabytes: kilobytes / 1024 };
}

function familyOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc'))
    if (/^\d+$/.test(name)) parents.set(Number(name), Number(readStat(Number(name))[1]));
  const family = [pid];
  for (const member of family) for (const [child, parent] of parents) if (parent === member) family.push(child);
  return family;
}

/** The fields of /proc/PID/stat from the state on; the name before may hold blanks. */
function readStat(pid: number): string[] {
  return read(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
