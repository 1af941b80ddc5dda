import { isAbort, messageOf } from '@ballast/base';
import { Command, CommanderError } from 'commander';
import { clusterCommands } from './cluster-commands.ts';
import { labCommand } from './lab-commands.ts';
import { toolCommands } from './tool-commands.ts';
import { versionCommand } from './version-command.ts';

/** Ends the command with this exit code and without a message of its own: what it ran has said what there is to say. */
export class ExitCode extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

/** Usage errors end with 2, others with 1, as the shell's own commands do. */
const USAGE_EXIT_CODE = 2;

const EXAMPLES = `
Examples:
  ballast lab demo                     three nodes, a router and a client on this machine, with a sample app
  ballast lab up && ballast kubectl get nodes
  ballast server                       make this machine the first of a cluster
  ballast agent --server https://10.0.0.1:9345 --token-file /root/token

Configuration of server and agent: /etc/ballast/config.yaml, the same keys as the flags; flags win.`;

export function createProgram(): Command {
  const program = new Command('ballast')
    .description('Kubernetes for machines without a cloud, in which every kind of Service works')
    .showSuggestionAfterError()
    .showHelpAfterError('(--help lists what there is)')
    .addHelpText('after', EXAMPLES)
    .enablePositionalOptions()
    .exitOverride();
  for (const command of [...clusterCommands(), labCommand(), ...toolCommands(), versionCommand()])
    program.addCommand(command);
  inheritSettings(program);
  return program;
}

/** Commander hands these down only to commands made with .command(); ours are made apart. */
function inheritSettings(parent: Command): void {
  for (const command of parent.commands) {
    command.copyInheritedSettings(parent);
    inheritSettings(command);
  }
}

/** Runs one command; resolves with the exit code. Errors go to stderr, never with a stack. */
export async function runCli(argv: readonly string[]): Promise<number> {
  const program = createProgram();
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof ExitCode) return error.code;
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_EXIT_CODE;
    if (isAbort(error)) return 130;
    process.stderr.write(`ballast: ${messageOf(error)}\n`);
    return 1;
  }
}
