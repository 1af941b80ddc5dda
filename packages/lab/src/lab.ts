import { spawn } from 'node:child_process';
import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BallastError, type Clock, type Logger } from '@ballast/base';
import {
  layoutOf,
  openServerSecrets,
  type ServerKeys,
  serverKeys,
  serverSettings,
  writeKubeconfig,
} from '@ballast/cluster';
import { createClient, type KubeClient, loadKubeconfig } from '@ballast/kube';
import { identifyProcess, type RunOptions, type RunResult } from '@ballast/linux';
import { stringify } from 'yaml';
import { createControlGroup, destroyControlGroup, mountedHierarchies } from './control-groups.ts';
import type { HostPortArguments } from './host-port-main.ts';
import { labPreflight } from './lab-preflight.ts';
import { LAB_ROOT, type LabState, labDir, lockLab, readLabState, removeLabDir, writeLabState } from './lab-state.ts';
import { plugIn, setUpSwitch, unplug } from './lan.ts';
import { Machine, type MachineHost } from './machine.ts';
import { frrConfig, routerService } from './router.ts';
import { LAN, type MachinePlan, machineNamed, planTopology, type Topology } from './topology.ts';

export interface LabOptions {
  readonly name: string;
  /** Agents beside the one server. */
  readonly agents: number;
  /** Folder of all labs; LAB_ROOT by default. */
  readonly root?: string;
  /** Program and first arguments of the ballast command, for the nodes to run. Absent: nodes only idle, as empty machines. */
  readonly ballast?: readonly [string, ...string[]];
  /** Folder with image archives that all nodes share. */
  readonly imageDir?: string;
  /** More keys for the configuration files of all nodes. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The host's loopback port for the API server; 0 for any. */
  readonly hostPort?: number;
  /** Who runs it, for people: 'npm start', 'lab up'. */
  readonly owner?: string;
  /** The lab belongs to this process: should that be killed, the next start removes what it left. */
  readonly foreground?: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Told about each step as it begins. */
  readonly onProgress?: (step: string) => void;
}

const SERVER_API_PORT = 6443;
const IDLE: readonly string[] = [];

/** A running lab. */
export class Lab implements AsyncDisposable {
  readonly name: string;
  readonly dir: string;
  readonly topology: Topology;
  readonly #root: string;
  readonly #host: MachineHost;
  readonly #options: Pick<LabOptions, 'ballast' | 'clock' | 'logger'>;
  #state: LabState;

  private constructor(options: {
    root: string;
    host: MachineHost;
    topology: Topology;
    state: LabState;
    options: Pick<LabOptions, 'ballast' | 'clock' | 'logger'>;
  }) {
    this.name = options.topology.lab;
    this.dir = options.host.dir;
    this.topology = options.topology;
    this.#root = options.root;
    this.#host = options.host;
    this.#state = options.state;
    this.#options = options.options;
  }

  /**
   * Brings a lab up. What a crash left of one of that name is removed first; one whose state was kept is switched on again; one that runs
   * is an error 'lab-running' that says so.
   */
  static async start(options: LabOptions): Promise<Lab> {
    const { name, clock } = options;
    const root = options.root ?? LAB_ROOT;
    const progress = options.onProgress ?? (() => {});
    await labPreflight();
    await using _lock = await lockLab(root, name);
    const host = await machineHost(root, name, clock);
    const earlier = await readLabState(host.dir);
    const kept = earlier?.phase === 'kept' ? earlier : undefined;
    if (earlier && !kept && (await isAlive(host, earlier)) && !(await isOrphaned(earlier)))
      throw alreadyRunning(earlier);
    if (!kept) {
      if (earlier) progress(`removing what an earlier run of lab ${name} left behind`);
      await destroyControlGroup(host.hierarchies, host.group, host.sleep);
      await removeLabDir(root, name);
    }
    if (kept && kept.agents !== options.agents) {
      progress(`coming back with the ${kept.agents} agents that were kept; "lab down" first for another number`);
    }
    const topology = planTopology({ lab: name, agents: kept?.agents ?? options.agents });
    const self = options.foreground ? await identifyProcess(process.pid) : undefined;
    const state: LabState = {
      ...(self === undefined ? {} : { foreground: self }),
      name,
      agents: topology.machines.filter(({ role }) => role === 'agent').length,
      phase: 'up',
      startedMs: clock.nowMs(),
      owner: options.owner ?? 'lab up',
      hostPort: 0,
      poweredOff: [],
    };
    await writeLabState(host.dir, state);
    const lab = new Lab({ root, host, topology, state, options });
    try {
      progress('certificates and configuration');
      await createControlGroup(host.hierarchies, host.group);
      await lab.#writeMachineFiles(options);
      progress(`LAN ${LAN.prefix} with ${topology.machines.length - 1} machines`);
      await lab.#powerOnAll();
      await lab.#forwardHostPort(kept?.hostPort ?? options.hostPort ?? 0, progress);
      return lab;
    } catch (error) {
      await lab.#destroy();
      throw error;
    }
  }

  /** The lab of that name that runs now. */
  static async open(options: Pick<LabOptions, 'name' | 'root' | 'ballast' | 'clock' | 'logger'>): Promise<Lab> {
    const root = options.root ?? LAB_ROOT;
    const host = await machineHost(root, options.name, options.clock);
    const state = await readLabState(host.dir);
    if (!state)
      throw new BallastError(
        'lab-missing',
        `there is no lab ${options.name}; "ballast lab up --name ${options.name}" makes one`,
      );
    if (state.phase === 'kept' || !(await isAlive(host, state))) {
      const why = state.phase === 'kept' ? 'is down, its state kept' : 'did not survive';
      throw new BallastError(
        'lab-down',
        `lab ${options.name} ${why}; "ballast lab up --name ${options.name}" brings it up again`,
      );
    }
    return new Lab({ root, host, topology: planTopology({ lab: state.name, agents: state.agents }), state, options });
  }

  /** Removes whatever there is of a lab: running, half dead, or only its folder. True when there was something. */
  static async remove(options: Pick<LabOptions, 'name' | 'root' | 'clock'>): Promise<boolean> {
    const root = options.root ?? LAB_ROOT;
    planTopology({ lab: options.name, agents: 0 });
    await using _lock = await lockLab(root, options.name);
    const host = await machineHost(root, options.name, options.clock);
    const existed = (await readLabState(host.dir)) !== undefined;
    await destroyControlGroup(host.hierarchies, host.group, host.sleep);
    await removeLabDir(root, options.name);
    return existed;
  }

  get state(): LabState {
    return this.#state;
  }

  /** A kubeconfig for the host: it reaches the API server through a loopback port. */
  get kubeconfigPath(): string {
    return join(this.dir, 'kubeconfig.yaml');
  }

  machine(name: string): Machine {
    return new Machine(this.#host, machineNamed(this.topology, name).name);
  }

  get lanSwitch(): Machine {
    return this.machine('switch');
  }

  /** Runs a program in a machine to its end. */
  exec(machine: string, argv: readonly string[], options?: RunOptions): Promise<RunResult> {
    return this.machine(machine).exec(argv, options);
  }

  /** The administrator's client of the cluster, from the host. */
  async client(): Promise<KubeClient & AsyncDisposable> {
    return createClient(await loadKubeconfig(this.kubeconfigPath));
  }

  /** Switches a machine on, as at the start of the lab. Its disk is as it was. */
  async powerOn(name: string): Promise<void> {
    const plan = machineNamed(this.topology, name);
    if ((await this.machine(name).pid()) !== undefined) {
      throw new BallastError('lab-machine-on', `${name} is switched on already`);
    }
    await this.#powerOn(plan, await this.#switchPid());
    await this.#save({ poweredOff: this.#state.poweredOff.filter((other) => other !== name) });
  }

  /** Power cut. */
  async powerOff(name: string): Promise<void> {
    const plan = machineNamed(this.topology, name);
    if (plan.role === 'switch') {
      throw new BallastError(
        'lab-machine',
        'the switch stays on: cut the cables of single machines instead ("lab fault cut")',
      );
    }
    if (this.#state.poweredOff.includes(name)) {
      throw new BallastError(
        'lab-machine-off',
        `${name} is switched off already; "ballast lab fault start ${name}" starts it`,
      );
    }
    await this.#save({ poweredOff: [...this.#state.poweredOff, name] });
    // The cable goes first: the dying kernel would still close TCP connections in good order, as no power cut does.
    if ((await this.machine(name).pid()) !== undefined) await unplug(this.lanSwitch, name);
    await this.machine(name).powerOff();
  }

  /** Takes the lab down and keeps the disks of its machines, for the next start under this name. */
  async stopKeepingState(): Promise<void> {
    await using _lock = await lockLab(this.#root, this.name);
    await destroyControlGroup(this.#host.hierarchies, this.#host.group, this.#host.sleep);
    await this.#save({ phase: 'kept', poweredOff: [] });
  }

  /** Takes the lab down without a trace. */
  async [Symbol.asyncDispose](): Promise<void> {
    await using _lock = await lockLab(this.#root, this.name);
    await this.#destroy();
  }

  async #destroy(): Promise<void> {
    await destroyControlGroup(this.#host.hierarchies, this.#host.group, this.#host.sleep);
    await removeLabDir(this.#root, this.name);
  }

  async #save(change: Partial<LabState>): Promise<void> {
    this.#state = { ...this.#state, ...change };
    await writeLabState(this.dir, this.#state);
  }

  async #switchPid(): Promise<number> {
    const pid = await this.lanSwitch.pid();
    if (pid === undefined)
      throw new BallastError(
        'lab-down',
        `the switch of lab ${this.name} is gone; "ballast lab up --name ${this.name}" starts anew`,
      );
    return pid;
  }

  async #powerOnAll(): Promise<void> {
    await this.lanSwitch.powerOn(IDLE, setUpSwitch);
    const switchPid = await this.#switchPid();
    const others = this.topology.machines.filter(({ role }) => role !== 'switch');
    await Promise.all(others.map((plan) => this.#powerOn(plan, switchPid)));
  }

  async #powerOn(plan: MachinePlan, switchPid: number): Promise<void> {
    const machine = this.machine(plan.name);
    await machine.powerOn(this.#serviceOf(plan), (pid) => plugIn({ switchPid, pid, plan }));
  }

  #serviceOf(plan: MachinePlan): readonly string[] {
    const { ballast } = this.#options;
    if (plan.role === 'router') return routerService(join(this.dir, plan.name));
    if (plan.role === 'server' || plan.role === 'agent') return ballast ? [...ballast, plan.role] : IDLE;
    return IDLE;
  }

  /** Writes each machine's part of /etc, and on a fresh server's disk the secrets, so that agents know the token before it runs. */
  async #writeMachineFiles(options: LabOptions): Promise<void> {
    const hosts = this.topology.machines
      .flatMap(({ address, name }) => (address === undefined ? [] : [`${address} ${name}`]))
      .join('\n');
    for (const { name } of this.topology.machines) {
      const etc = join(this.dir, name, 'etc');
      await mkdir(join(etc, 'ballast'), { recursive: true });
      await writeFile(join(etc, 'hosts'), `127.0.0.1 localhost\n::1 localhost\n${hosts}\n`);
      await writeFile(join(etc, 'hostname'), `${name}\n`);
      await writeFile(
        join(etc, 'resolv.conf'),
        `# The lab's LAN leads nowhere: there is no resolver for names outside.\nnameserver ${LAN.router}\n`,
      );
    }
    await writeFile(join(this.dir, 'router', 'frr.conf'), frrConfig(join(this.dir, 'router/log/frr/frr.log')));
    const commonKeys = (plan: MachinePlan) => ({
      ...options.config,
      'node-name': plan.name,
      'node-ip': plan.address,
      'data-dir': join(this.dir, plan.name, 'state'),
      ...(options.imageDir === undefined ? {} : { 'image-dir': options.imageDir }),
    });
    const server = machineNamed(this.topology, 'server');
    const keys: ServerKeys = serverKeys.parse(commonKeys(server));
    await writeNodeConfig(join(this.dir, 'server'), keys);
    const settings = serverSettings(keys);
    const pki = await openServerSecrets({ settings, nodeIp: LAN.server, clock: options.clock });
    for (const plan of this.topology.machines.filter(({ role }) => role === 'agent')) {
      const agent = {
        ...commonKeys(plan),
        server: `https://${LAN.server}:${settings.supervisorPort}`,
        token: pki.token,
      };
      await writeNodeConfig(join(this.dir, plan.name), agent);
    }
  }

  async #forwardHostPort(wantedPort: number, progress: (text: string) => void): Promise<void> {
    const target = { targetHost: LAN.server, targetPort: SERVER_API_PORT };
    const networkNamespace = `/proc/${await this.#switchPid()}/ns/net`;
    const { hierarchies, group } = this.#host;
    const start = (listenPort: number) =>
      startHostPort({ listenPort, ...target, networkNamespace, hierarchies, group: `${group}/switch` });
    const hostPort = await start(wantedPort).catch((error: unknown) => {
      if (wantedPort === 0) throw error;
      progress(`port ${wantedPort} of this machine is taken: the API server gets another`);
      return start(0);
    });
    const server = serverSettings({ 'data-dir': join(this.dir, 'server', 'state') });
    await writeKubeconfig({
      path: this.kubeconfigPath,
      server: `https://127.0.0.1:${hostPort}`,
      layout: layoutOf(server),
      name: `ballast-${this.name}`,
    });
    await this.#save({ hostPort });
  }
}

async function writeNodeConfig(machineDir: string, keys: object): Promise<void> {
  const path = join(machineDir, 'etc/ballast/config.yaml');
  await writeFile(path, '', { mode: 0o600 });
  await appendFile(path, stringify(keys));
}

async function machineHost(root: string, name: string, clock: Clock): Promise<MachineHost> {
  return {
    hierarchies: await mountedHierarchies(),
    group: `/ballast-lab-${name}`,
    dir: labDir(root, name),
    sleep: (ms) => clock.sleep(ms),
  };
}

/** A lab lives while every machine runs that was not switched off on purpose. */
async function isAlive(host: MachineHost, state: LabState): Promise<boolean> {
  const { machines } = planTopology({ lab: state.name, agents: state.agents });
  const pids = await Promise.all(
    machines.filter(({ name }) => !state.poweredOff.includes(name)).map(({ name }) => new Machine(host, name).pid()),
  );
  return pids.every((pid) => pid !== undefined);
}

/** Whether the process that a lab belongs to was killed. */
async function isOrphaned({ foreground }: LabState): Promise<boolean> {
  if (!foreground) return false;
  return (await identifyProcess(foreground.pid))?.startTime !== foreground.startTime;
}

function alreadyRunning(state: LabState): BallastError {
  const since = new Date(state.startedMs).toISOString().slice(0, 19).replace('T', ' ');
  return new BallastError(
    'lab-running',
    `lab ${state.name} is running: ${state.agents + 1} nodes, started by "${state.owner}" at ${since} UTC. See "ballast lab status --name ${state.name}"; "ballast lab down --name ${state.name}" removes it; a lab of another --name can run beside it`,
  );
}

/** Starts the process that forwards a loopback port of the host into the lab; resolves with the port. */
function startHostPort(args: HostPortArguments): Promise<number> {
  const main = join(import.meta.dirname, 'host-port-main.ts');
  const child = spawn(process.execPath, [main, JSON.stringify(args)], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      const port = /^port (\d+)/m.exec(said)?.[1];
      if (port === undefined) return;
      child.stdout.destroy();
      child.stderr.destroy();
      child.unref();
      resolve(Number(port));
    });
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    child.on('error', reject);
    child.on('exit', () =>
      reject(new BallastError('lab-host-port', `no loopback port for the API server: ${said.trim()}`)),
    );
  });
}
