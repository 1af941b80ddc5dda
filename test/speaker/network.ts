import { readFileSync } from 'node:fs';
import { run, runAnyExit } from '@ballast/linux';

/**
 * A small LAN of network namespaces: one switch namespace with a bridge, and hosts on it. Names carry the pid of the test, so that what
 * a killed test left behind is recognised and removed by the next one.
 */
export interface TestNetwork extends AsyncDisposable {
  /** Namespace name of a host. */
  namespaceOf(host: string): string;
  /** Runs a command in a host's namespace. */
  on(host: string, ...command: string[]): Promise<string>;
}

const PREFIX = 'blbt';

export async function createTestNetwork(hosts: Readonly<Record<string, readonly string[]>>): Promise<TestNetwork> {
  await removeStale();
  const tag = `${PREFIX}${process.pid}`;
  const namespaceOf = (host: string) => `${tag}-${host}`;
  const names = ['switch', ...Object.keys(hosts)];
  const network: TestNetwork = {
    namespaceOf,
    on: (host, ...command) => run('ip', ['netns', 'exec', namespaceOf(host), ...command]),
    async [Symbol.asyncDispose]() {
      for (const name of names) await removeNamespace(namespaceOf(name));
    },
  };
  try {
    for (const name of names) {
      await run('ip', ['netns', 'add', namespaceOf(name)]);
      await network.on(name, 'ip', 'link', 'set', 'lo', 'up');
    }
    await network.on('switch', 'ip', 'link', 'add', 'br0', 'type', 'bridge', 'forward_delay', '0');
    await network.on('switch', 'ip', 'link', 'set', 'br0', 'up');
    for (const [host, addresses] of Object.entries(hosts)) {
      const peer = `p-${host}`;
      await network.on(
        host,
        'ip',
        'link',
        'add',
        'eth0',
        'type',
        'veth',
        'peer',
        'name',
        peer,
        'netns',
        namespaceOf('switch'),
      );
      for (const address of addresses) {
        await network.on(
          host,
          'ip',
          'address',
          'add',
          address,
          'dev',
          'eth0',
          ...(address.includes(':') ? ['nodad'] : []),
        );
      }
      await network.on('switch', 'ip', 'link', 'set', peer, 'master', 'br0', 'up');
      await network.on(host, 'ip', 'link', 'set', 'eth0', 'up');
    }
    return network;
  } catch (error) {
    await network[Symbol.asyncDispose]();
    throw error;
  }
}

async function removeNamespace(name: string): Promise<void> {
  const { stdout } = await runAnyExit('ip', ['netns', 'pids', name]);
  for (const pid of stdout.split('\n').filter((line) => line !== '')) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  await runAnyExit('ip', ['netns', 'delete', name]);
}

async function removeStale(): Promise<void> {
  const listed = await run('ip', ['netns', 'list']);
  for (const line of listed.split('\n')) {
    const [name = ''] = line.split(' ');
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && Number(pid) !== process.pid && !isAlive(Number(pid))) await removeNamespace(name);
  }
}

function isAlive(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8') !== '';
  } catch {
    return false;
  }
}

/** Asks again and again until `check` is content; fails with the last answer. */
export async function eventually<T>(
  ask: () => Promise<T>,
  check: (answer: T) => boolean,
  { withinMs = 10_000 }: { readonly withinMs?: number } = {},
): Promise<{ readonly answer: T; readonly afterMs: number }> {
  const startedMs = performance.now();
  for (;;) {
    const answer = await ask();
    const afterMs = performance.now() - startedMs;
    if (check(answer)) return { answer, afterMs };
    if (afterMs > withinMs) throw new Error(`not within ${withinMs} ms; last: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
