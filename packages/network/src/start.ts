import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  aborted,
  type Clock,
  type Logger,
  messageOf,
  type Running,
  runInBackground,
  writeFileAtomic,
} from '@ballast/base';
import { type KubeClient, NODES, type Node, PODS, type Pod, startInformer } from '@ballast/kube';
import { run } from '@ballast/linux';
import { hostPortsOf } from './host-ports.ts';
import { findPodNetwork } from './pod-networks.ts';
import {
  desiredRoutes,
  internalIps,
  type PodRoute,
  parseRoutes,
  planRoutes,
  podCidrsOf,
  ROUTE_PROTOCOL,
} from './routes.ts';
import { buildRuleset } from './ruleset.ts';

export interface PodNetworkOptions {
  readonly client: KubeClient;
  readonly nodeName: string;
  /** Where containerd looks for its network configuration. */
  readonly cniConfDir: string;
  /** Where assigned pod addresses are kept; persistent. */
  readonly dataDir: string;
  /** Pod addresses of the whole cluster. */
  readonly clusterCidrs: readonly string[];
  readonly serviceCidrs: readonly string[];
  /** One of POD_NETWORKS; the default is 'routed'. */
  readonly network?: string;
  readonly mtu?: number;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Even without a change the kernel's state is compared this often: somebody may have flushed routes or rules. */
const RESYNC_MS = 30_000;
const RETRY_MS = 1000;

/** The CNI configuration list that containerd reads. */
export function cniConflist(plugins: readonly object[]): string {
  return `${JSON.stringify({ cniVersion: '1.0.0', name: 'ballast', plugins }, undefined, 2)}\n`;
}

/**
 * Keeps pods of this node connected: CNI configuration from the node's pod range, routes to the pods of other nodes, masquerade for what
 * leaves the cluster, host ports. Disposing leaves everything in place: packets are the kernel's work.
 */
export function startPodNetwork(options: PodNetworkOptions): Running {
  const { client, nodeName, clock } = options;
  const logger = options.logger.child({ component: 'network' });
  const network = findPodNetwork(options.network);
  return runInBackground(async (signal) => {
    await using nodes = startInformer(client, NODES, { logger, clock });
    await using pods = startInformer(client, PODS, { fieldSelector: `spec.nodeName=${nodeName}`, logger, clock });
    const changes = new Pending();
    nodes.onChange((event) => {
      if (event.type !== 'modified' || concernsUs(event.previous) !== concernsUs(event.object)) changes.note();
    });
    pods.onChange((event) => {
      const before = event.type === 'modified' ? portsText(event.previous) : '';
      // Only host ports of pods matter here, not each of their status changes; a deletion is one for as long as the pod had any.
      if (event.type === 'deleted' ? portsText(event.object) !== '' : portsText(event.object) !== before)
        changes.note();
    });
    // Before the first full list, what is not there must not be taken for removed.
    await Promise.race([Promise.all([nodes.synced, pods.synced]), aborted(signal)]);
    const applied = { conflist: '', ruleset: '' };
    while (!signal.aborted) {
      let waitMs = RESYNC_MS;
      changes.reset();
      try {
        await sync({ options, network, nodes: [...nodes.list()], pods: [...pods.list()], applied, logger });
      } catch (error) {
        logger.error('pod network not up to date, trying again', { error: messageOf(error) });
        waitMs = RETRY_MS;
      }
      await Promise.race([clock.sleep(waitMs, signal), changes.next()]);
    }
  });
}

/** The parts of a Node that matter here; heartbeats must not cause work. */
function concernsUs(node: Node): string {
  return JSON.stringify([podCidrsOf(node), internalIps(node)]);
}

/** The host ports of a pod; empty when it has none. */
function portsText(pod: Pod): string {
  const ports = hostPortsOf([pod]);
  return ports.length === 0 ? '' : JSON.stringify(ports);
}

/** Remembers that something changed, however often, until somebody looks. */
class Pending {
  #waiting = Promise.withResolvers<void>();

  note(): void {
    this.#waiting.resolve();
  }

  next(): Promise<void> {
    return this.#waiting.promise;
  }

  reset(): void {
    this.#waiting = Promise.withResolvers();
  }
}

async function sync(input: {
  options: PodNetworkOptions;
  network: ReturnType<typeof findPodNetwork>;
  nodes: readonly Node[];
  pods: Parameters<typeof hostPortsOf>[0];
  applied: { conflist: string; ruleset: string };
  logger: Logger;
}): Promise<void> {
  const { options, network, nodes, applied, logger } = input;
  const { nodeName, dataDir, mtu } = options;
  const podCidrs = podCidrsOf(nodes.find((node) => node.metadata.name === nodeName));
  const hasV6 = [...podCidrs, ...options.clusterCidrs].some((cidr) => cidr.includes(':'));
  await enableForwarding(hasV6);

  const clusterDestinations = [...options.clusterCidrs, ...options.serviceCidrs, ...nodes.flatMap(internalIps)];
  const ruleset = buildRuleset({ podCidrs, clusterDestinations, hostPorts: hostPortsOf(input.pods) });
  if (ruleset !== applied.ruleset || !(await tableExists())) {
    await run('nft', ['-f', '-'], { input: ruleset });
    applied.ruleset = ruleset;
  }

  for (const family of hasV6 ? ['-4', '-6'] : ['-4']) {
    const isFamily = (route: PodRoute) => route.destination.includes(':') === (family === '-6');
    await syncRoutes(family, desiredRoutes(nodes, nodeName).filter(isFamily), logger);
  }

  // Last: containerd says that the network is ready as soon as this file is there.
  if (podCidrs.length === 0) return;
  const conflist = cniConflist(network.cniPlugins({ podCidrs, dataDir, mtu }));
  if (conflist === applied.conflist) return;
  await mkdir(options.cniConfDir, { recursive: true });
  const path = join(options.cniConfDir, '10-ballast.conflist');
  const present = await readFile(path, 'utf8').catch(() => '');
  if (present !== conflist) await writeFileAtomic(path, conflist, 0o644);
  applied.conflist = conflist;
  logger.info('pod network configured', { network: network.name, podCidrs });
}

async function tableExists(): Promise<boolean> {
  return (await run('nft', ['list', 'tables'])).includes('ballast-network');
}

async function syncRoutes(family: string, desired: readonly PodRoute[], logger: Logger): Promise<void> {
  const protocol = String(ROUTE_PROTOCOL);
  const current = parseRoutes(await run('ip', [family, '-json', 'route', 'show', 'proto', protocol]));
  const { put, remove } = planRoutes(current, desired);
  for (const { destination, gateway } of put) {
    try {
      await run('ip', [family, 'route', 'replace', destination, 'via', gateway, 'proto', protocol]);
    } catch (error) {
      // A node that is not on a link of ours: its own network has to bring its pods' packets.
      logger.warn('no route to the pods of a node', { destination, gateway, reason: messageOf(error) });
    }
  }
  for (const { destination, gateway } of remove) {
    await run('ip', [family, 'route', 'del', destination, 'via', gateway, 'proto', protocol]);
  }
}

async function enableForwarding(v6: boolean): Promise<void> {
  const paths = ['/proc/sys/net/ipv4/ip_forward', ...(v6 ? ['/proc/sys/net/ipv6/conf/all/forwarding'] : [])];
  for (const path of paths) {
    if ((await readFile(path, 'utf8')).trim() !== '1') await writeFile(path, '1');
  }
}
