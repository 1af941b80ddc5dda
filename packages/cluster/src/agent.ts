import { startContainerd, writeBuiltInImages } from '@ballast/node';
import { allStarted } from './all-started.ts';
import { takeOver } from './earlier-run.ts';
import { joinCluster } from './join-client.ts';
import { parseJoinToken } from './join-token.ts';
import { layoutOf } from './layout.ts';
import { defaultNodeIp } from './node-address.ts';
import { AGENT_PORT, NODE_DNS_PORT } from './ports.ts';
import { preflight, requireRoot } from './preflight.ts';
import { nodeFacts } from './role-settings.ts';
import type { MachineOptions } from './server.ts';
import type { AgentSettings } from './settings.ts';
import { type Supervisor, startSupervisor } from './supervisor.ts';

/** Runs this machine as a node that joins a server. Resolves when all is started; disposing stops it and leaves the pods alone. */
export async function startAgent(
  options: MachineOptions<AgentSettings> & { signal?: AbortSignal },
): Promise<Supervisor> {
  const { settings, logger, clock, signal } = options;
  requireRoot();
  // Before anything is started: a mistyped token is the likeliest mistake.
  parseJoinToken(settings.token);
  const layout = layoutOf(settings);
  await takeOver({ layout, runDir: settings.runDir, logger, clock });
  await preflight({
    cniBinDir: settings.cniBinDir,
    ports: [
      { port: AGENT_PORT, host: '0.0.0.0', purpose: 'node agent' },
      { port: NODE_DNS_PORT, host: '0.0.0.0', purpose: 'DNS server' },
    ],
  });
  const nodeIp = settings.nodeIp ?? (await defaultNodeIp());
  await using stack = new AsyncDisposableStack();
  await writeBuiltInImages({ imageDir: settings.imageDir, logger });
  // containerd needs nothing of the cluster: it starts while the machine joins.
  const hopeless = new AbortController();
  const [containerd, joined] = await allStarted(
    stack,
    [
      startContainerd({
        stateDir: layout.nodeState,
        runDir: layout.containerdRun,
        cniConfDir: layout.cniConf,
        cniBinDir: settings.cniBinDir,
        logger,
        clock,
      }),
      joinCluster({
        server: settings.server,
        token: settings.token,
        nodeName: settings.nodeName,
        nodeIp,
        layout,
        clock,
        logger,
        signal: AbortSignal.any([hopeless.signal, ...(signal === undefined ? [] : [signal])]),
      }),
    ],
    () => hopeless.abort(),
  );
  const supervisor = stack.use(
    await startSupervisor({
      layout,
      settings: {
        node: nodeFacts(settings, nodeIp),
        cluster: joined.cluster,
        apiHost: joined.api.host,
        apiPort: joined.api.port,
        containerdSocket: containerd.socketPath,
      },
      roles: ['node', 'dns'],
      roleCommand: options.roleCommand,
      logger,
      clock,
    }),
  );
  const parts = stack.move();
  return { ...supervisor, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}
