import { spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { BallastError, systemClock } from '@ballast/base';
import { Command } from 'commander';
import { ExitCode } from './cli.ts';
import { type KubernetesTool, toolPath } from './kubernetes-tools.ts';

/** The lab that commands mean when none is named. */
export const DEFAULT_LAB = 'demo';
const SERVER_KUBECONFIG = '/etc/ballast/kubeconfig.yaml';

export function toolCommands(): Command[] {
  const tool = (name: KubernetesTool, example: string) =>
    new Command(name)
      .description(`run the real ${name} against the cluster: the lab's, or this server's`)
      .argument('[args...]', `everything that ${name} takes`)
      .helpOption(false)
      .allowUnknownOption()
      .passThroughOptions()
      .addHelpText('after', `\nExample:\n  ${example}`)
      .action(async (args: string[]) => {
        throw new ExitCode(await runTool(name, args));
      });
  return [tool('kubectl', 'ballast kubectl get pods -A -o wide'), tool('helm', 'ballast helm list -A')];
}

/** Runs kubectl or helm in the foreground; resolves with its exit code. */
export async function runTool(tool: KubernetesTool, args: readonly string[], kubeconfig?: string): Promise<number> {
  const path = await toolPath(tool);
  const KUBECONFIG =
    kubeconfig ?? process.env.KUBECONFIG ?? (needsNoCluster(args) ? '/dev/null' : await findKubeconfig());
  const child = spawn(path, args, { stdio: 'inherit', env: { ...process.env, KUBECONFIG } });
  // Ctrl-C goes to the whole foreground group: the tool decides what it means.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, killedBy) => resolve(code ?? (killedBy ? 128 : 1)));
  });
}

/** Whether a call works without a cluster, so that having none is no reason to refuse it. */
function needsNoCluster(args: readonly string[]): boolean {
  const [verb = 'help'] = args;
  if (['help', 'completion'].includes(verb)) return true;
  return args.some((arg) => ['--client', '--help', '-h'].includes(arg) || arg.startsWith('--kubeconfig'));
}

/** The kubeconfig of the cluster on this machine: of the one lab that runs, of the usual lab among several, or of this server. */
async function findKubeconfig(): Promise<string> {
  const { Lab, labNames, LAB_ROOT } = await import('@ballast/lab');
  const { createLogger } = await import('@ballast/base');
  const running: { name: string; path: string }[] = [];
  for (const name of await labNames(LAB_ROOT)) {
    const lab = await Lab.open({ name, clock: systemClock, logger: createLogger() }).catch(() => undefined);
    if (lab) running.push({ name, path: lab.kubeconfigPath });
  }
  const [only] = running;
  if (only !== undefined && running.length === 1) return only.path;
  const usual = running.find(({ name }) => name === DEFAULT_LAB);
  if (usual) return usual.path;
  if (running.length > 1) {
    throw new BallastError(
      'cluster-ambiguous',
      `several labs run; choose one with KUBECONFIG: ${running.map(({ path }) => path).join(', ')}`,
    );
  }
  const isServer = await access(SERVER_KUBECONFIG).then(
    () => true,
    () => false,
  );
  if (isServer) return SERVER_KUBECONFIG;
  throw new BallastError(
    'cluster-missing',
    'no cluster runs on this machine; "ballast lab up" makes one, or set KUBECONFIG',
  );
}
