import { mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@ballast/base';

/** Whether this speaker follows one that died, and whether packets were forwarded all the while. */
export interface RestartFacts {
  readonly restarted: boolean;
  readonly forwardingPreserved: boolean;
}

const FILE = 'speaker-forwarding.json';

/**
 * Compares this run of the machine with the one in the state folder, and remembers the present one. The same kernel, the same network
 * namespace and the same first process mean that nftables and routes are as the predecessor left them.
 */
export async function readRestartMarker(stateDir: string): Promise<RestartFacts> {
  const path = join(stateDir, FILE);
  const present = await machineRun();
  let previous: string | undefined;
  try {
    previous = await readFile(path, 'utf8');
  } catch {
    // The first speaker on this machine.
  }
  await mkdir(stateDir, { recursive: true });
  if (previous !== present) await writeFileAtomic(path, present);
  return { restarted: previous !== undefined, forwardingPreserved: previous === undefined || previous === present };
}

async function machineRun(): Promise<string> {
  const [bootId, network, init] = await Promise.all([
    readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    stat('/proc/self/ns/net', { bigint: true }),
    readFile('/proc/1/stat', 'utf8'),
  ]);
  // Field 22 of stat is the start time; the name in field 2 may hold blanks and ends with a parenthesis.
  const startTime = init.slice(init.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  return JSON.stringify({ bootId: bootId.trim(), network: network.ino.toString(), initStarted: startTime });
}
