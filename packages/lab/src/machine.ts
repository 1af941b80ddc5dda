import { spawn } from 'node:child_process';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BallastError } from '@ballast/base';
import {
  findProcess,
  formatProcessIdentity,
  identifyProcess,
  type RunOptions,
  type RunResult,
  run,
  runAnyExit,
} from '@ballast/linux';
import { createControlGroup, destroyControlGroup, processesIn } from './control-groups.ts';

const INIT = join(import.meta.dirname, 'machine-init.sh');

/** What every machine of a lab has in common. */
export interface MachineHost {
  readonly hierarchies: readonly string[];
  /** Control group of the lab, for example '/ballast-lab-demo'. */
  readonly group: string;
  /** Folder of the lab; a machine's is `dir/name`. */
  readonly dir: string;
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * One machine: namespaces (network, mount, PID, UTS, IPC, cgroup) round a PID 1 of its own. Nothing of it has a name on the host: when PID 1
 * dies, the kernel takes processes, interfaces, routes, firewall and mounts with it, as a power cut would. Its disk, `dir/name`, stays.
 */
export class Machine {
  readonly name: string;
  readonly dir: string;
  readonly group: string;
  readonly #host: MachineHost;

  constructor(host: MachineHost, name: string) {
    this.#host = host;
    this.name = name;
    this.dir = join(host.dir, name);
    this.group = `${host.group}/${name}`;
  }

  /**
   * Switches the machine on: `plug` gets the host's PID of its PID 1 and sets up its network; then `service` starts and is kept running.
   * Resolves when PID 1 was told to go on.
   */
  async powerOn(service: readonly string[], plug: (pid: number) => Promise<void>): Promise<void> {
    for (const folder of ['etc', 'etc-work', 'etc-copy', 'log']) {
      await mkdir(join(this.dir, folder), { recursive: true });
    }
    await createControlGroup(this.#host.hierarchies, this.group);
    const args = ['outside', this.name, this.dir, this.group, '--', ...service];
    const child = spawn(INIT, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'], env: machineEnvironment() });
    const pid = await new Promise<number>((resolve, reject) => {
      let said = '';
      let complaint = '';
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        const match = /^pid (\d+)$/m.exec(said);
        if (match) resolve(Number(match[1]));
      });
      child.stderr.on('data', (chunk: Buffer) => {
        complaint += chunk.toString();
      });
      child.on('error', (error) => reject(this.#cannotStart(error.message)));
      child.on('close', (code) => reject(this.#cannotStart(complaint.trim() || `exit ${code}`)));
    });
    await plug(pid);
    const identity = await identifyProcess(pid);
    if (!identity) throw this.#cannotStart('it ended while its network was set up');
    await writeFile(join(this.dir, 'pid'), formatProcessIdentity(identity));
    child.stdin.end('go\n');
    child.stdout.destroy();
    child.stderr.destroy();
    child.unref();
  }

  /** Power cut: everything in it dies at once. Resolves when nothing of it is left but its disk. */
  async powerOff(): Promise<void> {
    await destroyControlGroup(this.#host.hierarchies, this.group, this.#host.sleep);
    await rm(join(this.dir, 'pid'), { force: true });
  }

  /** The host's PID of its PID 1, or undefined when the machine is off. */
  async pid(): Promise<number | undefined> {
    return (await findProcess(join(this.dir, 'pid')))?.pid;
  }

  /** `argv` with what it takes to run it inside this machine. */
  async enter(argv: readonly string[]): Promise<string[]> {
    const pid = await this.pid();
    if (pid === undefined) {
      throw new BallastError(
        'lab-machine-off',
        `${this.name} is switched off; "ballast lab fault start ${this.name}" starts it`,
      );
    }
    const namespaces = ['--net', '--mount', '--pid', '--uts', '--ipc', '--cgroup'];
    return ['nsenter', `--target=${pid}`, ...namespaces, '--', ...argv];
  }

  /** Runs a program inside to its end. */
  async exec(argv: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const [command = '', ...args] = await this.enter(argv);
    return runAnyExit(command, args, options);
  }

  /** Like exec, but a failure is an error; resolves with what it printed. */
  async run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
    const [command = '', ...args] = await this.enter(argv);
    return run(command, args, options);
  }

  /** Host PIDs of the processes inside whose command line `matches`. */
  async processes(matches: (argv: readonly string[]) => boolean): Promise<number[]> {
    const found: number[] = [];
    for (const pid of await processesIn(this.#host.hierarchies, this.group)) {
      const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      if (text !== '' && matches(text.split('\0').slice(0, -1))) found.push(pid);
    }
    return found;
  }

  #cannotStart(why: string): BallastError {
    return new BallastError('lab-machine-start', `machine ${this.name} does not start: ${why}`);
  }
}

/** A machine's programs see nothing of the caller's environment but where programs are. */
function machineEnvironment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', LANG: 'C.UTF-8' };
}
