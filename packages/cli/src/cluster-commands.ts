import { aborted, createLogger, signalOfTermination, systemClock } from '@ballast/base';
import { Command, InvalidArgumentError, Option } from 'commander';
import { installation } from './installation.ts';

/**
 * How a role is started. The young generation is kept small (MiB): Node's default lets it grow to three times 16, which most of a role's
 * memory would then be.
 */
const [node, ...ballast] = installation.command;
const ROLE_COMMAND: [string, ...string[]] = [node, '--max-semi-space-size=4', ...ballast, 'role'];

const repeatable = (value: string, previous: string[] | undefined) => [...(previous ?? []), value];

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value)) throw new InvalidArgumentError('expected a port number.');
  return value;
}

function nodeFlags(command: Command): Command {
  return command
    .option('-c, --config <file>', 'configuration file (default: /etc/ballast/config.yaml, if it exists)')
    .option('--data-dir <dir>', 'where everything is kept (default: /var/lib/ballast)')
    .option('--run-dir <dir>', 'sockets and pid files (default: /run/ballast)')
    .option('--node-name <name>', 'name of the Node (default: the host name)')
    .option('--node-ip <address>', 'address that other machines reach this one by (default: that of the default route)')
    .option('--node-label <key=value>', 'label of the Node at its first registration; repeatable', repeatable)
    .option('--node-taint <key=value:effect>', 'taint of the Node at its first registration; repeatable', repeatable)
    .option('--image-dir <dir>', 'folder with image archives to import (default: <data-dir>/images)')
    .option('--cni-bin-dir <dir>', 'folder of the CNI plugins (default: /usr/lib/cni)')
    .option('--debug', 'log more');
}

export function clusterCommands(): Command[] {
  const server = nodeFlags(new Command('server').description('run this machine as a server: control plane and node'))
    .option('--token <secret>', 'secret of the join token of a new cluster (default: a random one)')
    .option('--bind-address <address>', 'address to listen on (default: 0.0.0.0)')
    .option('--advertise-address <address>', 'address that agents reach the API server by (default: node-ip)')
    .option('--https-listen-port <port>', 'port of the API server (default: 6443)', port)
    .option('--supervisor-port <port>', 'port of the join endpoint (default: 9345)', port)
    .option('--tls-san <name>', 'one more name or address in the server certificate; repeatable', repeatable)
    .option('--cluster-cidr <prefix>', 'network of the pods (default: 10.42.0.0/16)')
    .option('--service-cidr <prefix>', 'network of the Services (default: 10.43.0.0/16)')
    .option('--service-node-port-range <first-last>', 'ports of NodePort Services (default: 30000-32767)')
    .option('--cluster-dns <address>', 'address of the DNS Service (default: the tenth of service-cidr)')
    .option('--cluster-domain <domain>', 'domain of the cluster (default: cluster.local)')
    .option('--write-kubeconfig <file>', "the administrator's kubeconfig (default: /etc/ballast/kubeconfig.yaml)")
    .action(async (flags: Record<string, unknown>) => {
      const { readKeys, serverKeys, serverSettings, startServer } = await import('@ballast/cluster');
      const { config, ...given } = flags;
      const keys = await readKeys({ schema: serverKeys, path: textOf(config), flags: kebab(given) });
      const settings = serverSettings(keys);
      const logger = createLogger({ level: settings.debug ? 'debug' : 'info', fields: { role: 'supervisor' } });
      const signal = signalOfTermination(logger);
      await using supervisor = await startServer({ settings, roleCommand: ROLE_COMMAND, logger, clock: systemClock });
      supervisor.ready.then(
        () =>
          logger.info('server ready', {
            kubeconfig: settings.kubeconfigPath,
            token: `${settings.dataDir}/server/token`,
          }),
        () => {},
      );
      await Promise.race([aborted(signal), supervisor.done]);
    });

  const agent = nodeFlags(new Command('agent').description('run this machine as a node that joins a server'))
    .option('--server <url>', 'the server to join, https://HOST:9345')
    .option(
      '--token <token>',
      'join token; visible to all users of this machine, better: --token-file or the configuration file',
    )
    .option('--token-file <file>', 'file that holds the join token')
    .action(async (flags: Record<string, unknown>) => {
      const { agentKeys, agentSettings, readKeys, startAgent } = await import('@ballast/cluster');
      const { config, ...given } = flags;
      const settings = await agentSettings(
        await readKeys({ schema: agentKeys, path: textOf(config), flags: kebab(given) }),
      );
      const logger = createLogger({ level: settings.debug ? 'debug' : 'info', fields: { role: 'supervisor' } });
      const signal = signalOfTermination(logger);
      await using supervisor = await startAgent({
        settings,
        roleCommand: ROLE_COMMAND,
        logger,
        clock: systemClock,
        signal,
      });
      supervisor.ready.then(
        () => logger.info('agent ready', { node: settings.nodeName }),
        () => {},
      );
      await Promise.race([aborted(signal), supervisor.done]);
    });

  const role = new Command('role')
    .argument('<name>')
    .addOption(new Option('--settings <file>').makeOptionMandatory())
    .description('one part of a server or agent; the supervisor runs these')
    .action(async (name: string, { settings }: { settings: string }) => {
      const { ROLES, runRole } = await import('@ballast/cluster');
      const known = ROLES.find((one) => one === name);
      if (!known) throw new Error(`there is no role ${name}; there are ${ROLES.join(', ')}`);
      const code = await runRole(known, settings);
      // The leash and whatever a room left open must not keep a stopped role alive.
      process.disconnect?.();
      process.exit(code);
    });
  server.addHelpText('after', '\nExample:\n  ballast server --node-ip 10.0.0.1 --tls-san cluster.example.com');
  agent.addHelpText('after', '\nExample:\n  ballast agent --server https://10.0.0.1:9345 --token-file /root/token');
  return [server, agent, hidden(role)];
}

/** Commander keeps hidden commands out of the help by this mark. */
function hidden(command: Command): Command {
  return Object.assign(command, { _hidden: true });
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Commander's camelCase back to the keys of the configuration file. */
export function kebab(flags: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(flags).map(([name, value]) => [
      name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      value,
    ]),
  );
}
