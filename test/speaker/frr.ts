import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run, runAnyExit } from '@ballast/linux';
import { eventually } from './network.ts';

/** A real FRR router (zebra and bgpd) in a namespace, with its own configuration and state folder. */
export interface Frr extends AsyncDisposable {
  /** Runs vtysh commands and returns what they print. */
  vtysh(...commands: string[]): Promise<string>;
  /** 'show bgp … json', parsed. */
  show(command: string): Promise<unknown>;
}

const FRR_DAEMONS = '/usr/lib/frr';

export const frrIsInstalled = existsSync(`${FRR_DAEMONS}/bgpd`);

export async function startFrr(options: { readonly namespace: string; readonly config: string }): Promise<Frr> {
  const folder = await mkdtemp(join(tmpdir(), 'ballast-frr-'));
  const config = join(folder, 'frr.conf');
  await writeFile(config, options.config, { mode: 0o644 });
  // The daemons drop to this user, and make their sockets in the folder.
  await run('chown', ['-R', 'frr:frrvty', folder]);
  const children: ChildProcess[] = [];
  const start = (daemon: string, ...args: string[]) => {
    const common = [
      '-f',
      config,
      '-i',
      join(folder, `${daemon}.pid`),
      '-z',
      join(folder, 'zserv.api'),
      '--vty_socket',
      folder,
    ];
    const child = spawn(
      'ip',
      [
        'netns',
        'exec',
        options.namespace,
        `${FRR_DAEMONS}/${daemon}`,
        ...common,
        '-A',
        '127.0.0.1',
        '-P',
        '0',
        ...args,
      ],
      { stdio: 'ignore' },
    );
    child.on('error', () => {});
    children.push(child);
  };
  const frr: Frr = {
    async vtysh(...commands) {
      const args = ['--vty_socket', folder, ...commands.flatMap((command) => ['-c', command])];
      return (await runAnyExit('vtysh', args)).stdout;
    },
    async show(command) {
      const text = await frr.vtysh(`${command} json`);
      try {
        return JSON.parse(text) as unknown;
      } catch {
        return undefined;
      }
    },
    async [Symbol.asyncDispose]() {
      const ended = children.map((child) => new Promise((resolve) => child.once('exit', resolve)));
      for (const child of children) child.kill('SIGKILL');
      await Promise.all(ended);
      await rm(folder, { recursive: true, force: true });
    },
  };
  start('zebra');
  await eventually(async () => existsSync(join(folder, 'zserv.api')), Boolean);
  start('bgpd', '-p', '179');
  await eventually(
    () => frr.vtysh('show bgp summary'),
    (text) => text !== '',
  );
  return frr;
}
