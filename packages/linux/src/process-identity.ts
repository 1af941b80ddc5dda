import { readFile } from 'node:fs/promises';

/** A process as it can be found again later: PIDs are reused, a PID with its start time is not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot (proc_pid_stat(5), field 22). */
  readonly startTime: string;
}

/** Identity of a running process; undefined when there is none, or only a zombie. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  // The second field, the name in parentheses, may hold blanks and parentheses itself.
  const [state, ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const startTime = fields[18];
  return state === 'Z' || state === 'X' || startTime === undefined ? undefined : { pid, startTime };
}

/** 'PID STARTTIME', as kept in pid files. */
export function formatProcessIdentity(identity: ProcessIdentity): string {
  return `${identity.pid} ${identity.startTime}\n`;
}

/** The process that a pid file names, if that very process still runs. */
export async function findProcess(pidFile: string): Promise<ProcessIdentity | undefined> {
  const [pid = '', startTime] = (await readFile(pidFile, 'utf8').catch(() => '')).trim().split(' ');
  if (!/^[1-9]\d*$/.test(pid)) return undefined;
  const identity = await identifyProcess(Number(pid));
  return identity?.startTime === startTime ? identity : undefined;
}
