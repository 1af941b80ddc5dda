import { spawn } from 'node:child_process';
import { BallastError, createLogger, formatTable, messageOf, systemClock } from '@ballast/base';
import type { Lab } from '@ballast/lab';
import { Command, InvalidArgumentError, Option } from 'commander';
import { ExitCode } from './cli.ts';
import { installation } from './installation.ts';
import { outputOption, printData } from './output.ts';
import { createProgress } from './progress.ts';
import { DEFAULT_LAB } from './tool-commands.ts';

/** How long each part of a new cluster may take, ms. */
const READY_TIMEOUT_MS = 90_000;

const nameOption = () => new Option('--name <lab>', 'which lab').default(DEFAULT_LAB);

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('expected a whole number.');
  return value;
}

async function openLab(name: string): Promise<Lab> {
  const { Lab } = await import('@ballast/lab');
  return Lab.open({ name, clock: systemClock, logger: createLogger({ level: 'warn' }), ballast: installation.command });
}

/** Waits until what people apply next can work; a lab that does not get there stays, to be looked at. */
async function becomeReady(lab: Lab, onProgress: (text: string) => void): Promise<void> {
  const { nodesOf } = await import('@ballast/lab');
  const { waitForCluster } = await import('./lab-readiness.ts');
  await using client = await lab.client();
  const nodes = nodesOf(lab.topology).map(({ name }) => name);
  const waiting = { clock: systemClock, signal: new AbortController().signal, timeoutMs: READY_TIMEOUT_MS };
  try {
    await waitForCluster({ client, nodes, sinceMs: lab.state.startedMs, waiting, onProgress });
  } catch (error) {
    throw new BallastError(
      'lab-not-ready',
      `lab ${lab.name} runs, but is not ready: ${messageOf(error)}. Logs: ${lab.dir}/*/state/logs; "ballast lab down --name ${lab.name}" removes it`,
      { cause: error },
    );
  }
}

export function labCommand(): Command {
  const lab = new Command('lab')
    .description('bare metal on this machine: nodes, a router and a client on a virtual LAN')
    .enablePositionalOptions();
  lab.addHelpText(
    'after',
    `
Examples:
  ballast lab up --agents 2
  ballast lab exec client -- curl -s http://192.0.2.200
  ballast lab fault kill agent-1
  ballast lab down`,
  );
  lab
    .command('up')
    .description('bring a lab up and leave it running')
    .addOption(nameOption())
    .option('--agents <count>', 'agents beside the one server', count, 2)
    .action(async (options: { name: string; agents: number }) => {
      const { bringUp } = await import('./lab-bring-up.ts');
      const progress = createProgress(process.stderr, systemClock);
      const running = await bringUp({ ...options, owner: 'ballast lab up', onProgress: progress.step });
      await becomeReady(running, progress.step);
      progress.done(`lab ${running.name} is up`);
      process.stdout.write(`export KUBECONFIG=${running.kubeconfigPath}\n`);
    });
  lab
    .command('down')
    .description('take a lab down without a trace')
    .addOption(nameOption())
    .option('--keep-state', 'keep the disks of its machines for the next "lab up"')
    .action(async ({ name, keepState }: { name: string; keepState?: true }) => {
      if (keepState) {
        await (await openLab(name)).stopKeepingState();
        process.stderr.write(`lab ${name} is down, its state kept; "ballast lab up --name ${name}" brings it back\n`);
        return;
      }
      const { Lab } = await import('@ballast/lab');
      const existed = await Lab.remove({ name, clock: systemClock });
      process.stderr.write(existed ? `lab ${name} is removed\n` : `there was no lab ${name}\n`);
    });
  lab
    .command('status')
    .description('show the machines of a lab and what runs on them')
    .addOption(nameOption())
    .addOption(outputOption())
    .action(async ({ name, output }: { name: string; output?: string }) => {
      const { labStatus } = await import('@ballast/lab');
      const status = await labStatus(await openLab(name));
      printData(output, status, () => {
        const rows = status.machines.map((m) => [m.name, m.role, m.address ?? '-', m.power, m.roles.join(' ') || '-']);
        return `${formatTable([['MACHINE', 'ROLE', 'ADDRESS', 'POWER', 'RUNNING'], ...rows])}\n\nkubeconfig ${status.kubeconfig}`;
      });
    });
  lab
    .command('exec')
    .description('run a program in a machine of the lab')
    .argument('<machine>', 'server, agent-1, ..., router, client, switch')
    .argument('<command...>', 'program and arguments, after --')
    .addOption(nameOption())
    .passThroughOptions()
    .action(async (machine: string, command: string[], { name }: { name: string }) => {
      // Everything after the machine is passed through, so the separator is still there.
      const program = command[0] === '--' ? command.slice(1) : command;
      const argv = await (await openLab(name)).machine(machine).enter(program);
      const child = spawn(argv[0] ?? '', argv.slice(1), { stdio: 'inherit' });
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
      const code = await new Promise<number>((resolve, reject) => {
        child.on('error', reject);
        child.on('exit', (exit, killedBy) => resolve(exit ?? (killedBy ? 128 : 1)));
      });
      throw new ExitCode(code);
    });
  lab.addCommand(faultCommand());
  lab
    .command('demo')
    .description('bring a lab up, deploy a sample app, prove it with real traffic, and stay until Ctrl-C')
    .addOption(nameOption())
    .option('--agents <count>', 'agents beside the one server', count, 2)
    .option('--once', 'end after the proofs, and take the lab down')
    .action(async (options: { name: string; agents: number; once?: true }) => {
      const { runDemo } = await import('./demo/demo.ts');
      await runDemo({ ...options, once: options.once ?? false });
    });
  return lab;
}

function faultCommand(): Command {
  const fault = new Command('fault').description('break something in a lab, or mend it');
  const verb = (usage: string, description: string, act: (lab: Lab, ...args: string[]) => Promise<void>) => {
    fault
      .command(usage)
      .description(description)
      .addOption(nameOption())
      .action(async (...given: unknown[]) => {
        const command = given.at(-1) as Command;
        await act(await openLab(command.opts<{ name: string }>().name), ...command.processedArgs.map(String));
      });
  };
  const faults = async () => (await import('@ballast/lab')).faults;
  verb('kill <machine>', 'power cut', async (lab, machine = '') => (await faults()).kill(lab, machine));
  verb('start <machine>', 'power on again', async (lab, machine = '') => (await faults()).start(lab, machine));
  verb('cut <machine>', 'pull its cable', async (lab, machine = '') => (await faults()).cut(lab, machine));
  verb('mend <machine>', 'put the cable back', async (lab, machine = '') => (await faults()).mend(lab, machine));
  verb('loss <machine> <percent>', 'drop a share of its frames; 0 ends it', async (lab, machine = '', percent = '') =>
    (await faults()).loss(lab, machine, Number(percent)),
  );
  verb('freeze <node> <role>', 'stop a role without ending it', async (lab, node = '', role = '') =>
    (await faults()).freeze(lab, node, role),
  );
  verb('thaw <node> <role>', 'let it go on', async (lab, node = '', role = '') =>
    (await faults()).thaw(lab, node, role),
  );
  verb('kill-role <node> <role>', 'SIGKILL a role; it is started again', async (lab, node = '', role = '') =>
    (await faults()).killRole(lab, node, role),
  );
  verb('restart-router', "restart the router's FRR", async (lab) => (await faults()).restartRouter(lab));
  fault.addHelpText(
    'after',
    '\nExamples:\n  ballast lab fault loss agent-2 30\n  ballast lab fault kill-role server apiserver',
  );
  return fault;
}
