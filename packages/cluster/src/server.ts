import { type Clock, cidrAddress, formatIp, type Logger, parseCidr } from '@ballast/base';
import { formatKubeconfig } from '@ballast/kube';
import { startContainerd, writeBuiltInImages } from '@ballast/node';
import { allStarted } from './all-started.ts';
import { takeOver } from './earlier-run.ts';
import { startJoinServer } from './join-server.ts';
import { writeSecret } from './key-files.ts';
import { type Layout, layoutOf } from './layout.ts';
import { defaultNodeIp } from './node-address.ts';
import { NodePasswords, ownNodePassword } from './node-passwords.ts';
import { AGENT_PORT, NODE_DNS_PORT } from './ports.ts';
import { preflight, requireRoot } from './preflight.ts';
import { nodeFacts, type RoleSettings } from './role-settings.ts';
import {
  apiServerAltNames,
  type ClusterPki,
  nodeIdentities,
  openClusterPki,
  readPair,
  servingUse,
} from './server-pki.ts';
import type { ServerSettings } from './settings.ts';
import { type Supervisor, startSupervisor } from './supervisor.ts';

export interface MachineOptions<Settings> {
  readonly settings: Settings;
  readonly roleCommand: readonly [string, ...string[]];
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Runs this machine as a server: control plane and node. Resolves when all is started; disposing stops it and leaves the pods alone. */
export async function startServer(options: MachineOptions<ServerSettings>): Promise<Supervisor> {
  const { settings, logger, clock } = options;
  requireRoot();
  const layout = layoutOf(settings);
  await takeOver({ layout, runDir: settings.runDir, logger, clock });
  const host = settings.bindAddress;
  await preflight({
    cniBinDir: settings.cniBinDir,
    ports: [
      { port: settings.apiPort, host, purpose: 'API server' },
      { port: settings.supervisorPort, host, purpose: 'join endpoint' },
      { port: AGENT_PORT, host, purpose: 'node agent' },
      { port: NODE_DNS_PORT, host, purpose: 'DNS server' },
    ],
  });
  const nodeIp = settings.nodeIp ?? (await defaultNodeIp());
  const advertiseAddress = settings.advertiseAddress ?? nodeIp;
  await using stack = new AsyncDisposableStack();
  const pki = await openServerSecrets({ settings, nodeIp, clock });
  const passwords = new NodePasswords(layout.nodePasswordHashes);
  // The server is a node too: nobody may join under its name.
  if (!(await passwords.claim(settings.nodeName, await ownNodePassword(layout.nodePassword)))) {
    logger.warn('another machine joined under the name of this one; give one of them its own node-name', {
      node: settings.nodeName,
    });
  }
  await writeKubeconfig({ path: settings.kubeconfigPath, server: `https://127.0.0.1:${settings.apiPort}`, layout });
  await writeBuiltInImages({ imageDir: settings.imageDir, logger });
  const [containerd] = await allStarted(stack, [
    startContainerd({
      stateDir: layout.nodeState,
      runDir: layout.containerdRun,
      cniConfDir: layout.cniConf,
      cniBinDir: settings.cniBinDir,
      logger,
      clock,
    }),
    startJoinServer({
      listen: { host: settings.bindAddress, port: settings.supervisorPort },
      serving: await readPair(layout.serverTls, 'apiserver'),
      pki,
      passwords,
      api: { host: advertiseAddress, port: settings.apiPort },
      cluster: { ...settings.cluster, nodePortRange: [...settings.cluster.nodePortRange] },
      logger,
    }),
  ]);
  const { cluster, bindAddress } = settings;
  const roleSettings: RoleSettings = {
    node: nodeFacts(settings, nodeIp),
    cluster,
    apiHost: advertiseAddress,
    apiPort: settings.apiPort,
    server: { bindAddress, advertiseAddress },
    containerdSocket: containerd.socketPath,
  };
  const supervisor = stack.use(
    await startSupervisor({
      ...options,
      layout,
      settings: roleSettings,
      roles: ['apiserver', 'controller', 'node', 'dns'],
    }),
  );
  const parts = stack.move();
  return { ...supervisor, [Symbol.asyncDispose]: () => parts.disposeAsync() };
}

/** Opens or makes every secret of a server: the cluster's own, and those of the node that it is too. */
export async function openServerSecrets(options: {
  settings: ServerSettings;
  nodeIp: string;
  clock: Clock;
}): Promise<ClusterPki> {
  const { settings, nodeIp, clock } = options;
  const layout = layoutOf(settings);
  const tlsDir = layout.serverTls;
  const pki = await openClusterPki({ tlsDir, tokenPath: layout.serverToken, secret: settings.secret, clock });
  const services = parseCidr(settings.cluster.serviceCidr);
  const altNames = apiServerAltNames({
    clusterDomain: settings.cluster.clusterDomain,
    serviceAddress: services ? formatIp(cidrAddress(services, 1)) : '',
    addresses: [settings.nodeName, nodeIp, settings.advertiseAddress ?? nodeIp, ...settings.altNames],
  });
  await pki.serverAuthority.ensurePair({
    dir: tlsDir,
    name: 'apiserver',
    subject: { commonName: 'kube-apiserver' },
    use: { kind: 'server', altNames },
  });
  const names = { nodeName: settings.nodeName, nodeIp };
  const dir = layout.agentTls;
  await pki.serverAuthority.ensurePair({
    dir,
    name: 'serving',
    subject: { commonName: names.nodeName },
    use: servingUse(names),
  });
  for (const [name, subject] of Object.entries(nodeIdentities(names.nodeName))) {
    await pki.clientAuthority.ensurePair({ dir, name, subject, use: { kind: 'client' } });
  }
  for (const folder of [tlsDir, dir]) {
    await writeSecret(`${folder}/server-ca.crt`, pki.serverAuthority.certPem);
    await writeSecret(`${folder}/client-ca.crt`, pki.clientAuthority.certPem);
  }
  return pki;
}

/** Writes the administrator's kubeconfig, mode 0600. */
export async function writeKubeconfig(options: {
  path: string;
  server: string;
  layout: Layout;
  name?: string;
}): Promise<void> {
  const { layout, server } = options;
  const caPem = (await readPair(layout.serverTls, 'server-ca')).certPem;
  const admin = await readPair(layout.serverTls, 'admin');
  await writeSecret(options.path, formatKubeconfig({ name: options.name ?? 'ballast', server, caPem, ...admin }));
}
