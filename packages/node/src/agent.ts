import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, type Logger, type MetricsRegistry, messageOf, type Running, runInBackground } from '@ballast/base';
import { EventRecorder, type KubeClient, PODS, SERVICES, startInformer, type Taint } from '@ballast/kube';
import { createCriClient } from './cri/client.ts';
import { watchTaskEvents } from './cri/task-events.ts';
import { ImagePuller } from './image/ensure-image.ts';
import { startImageImporter } from './image/import-images.ts';
import { startLogRotation } from './log/log-rotation.ts';
import { declareNodeMetrics } from './metrics.ts';
import { ObjectCache } from './object-cache.ts';
import type { PodContext } from './pod/pod-context.ts';
import { parseResolvConf } from './pod/resolver-config.ts';
import { PodSet } from './pod-set.ts';
import { readMachine } from './registration/machine.ts';
import { allocatableOf } from './registration/node-object.ts';
import { startRegistration } from './registration/register.ts';
import { RuntimeReader } from './runtime-reader.ts';
import { startNodeServer } from './server/node-server.ts';
import { ServiceAccountTokens } from './volume/service-account-tokens.ts';

export interface NodeAgentOptions {
  readonly client: KubeClient;
  readonly nodeName: string;
  /** First address is the primary one: a string, or one per family. */
  readonly nodeIp: string | readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly Taint[];
  /** Data that survive a reboot: `${stateDir}/pods`, `${stateDir}/logs`. */
  readonly stateDir: string;
  /** Data in memory: secrets and tokens of pods. Should be below /run. */
  readonly volatileDir: string;
  /** Socket of containerd, see startContainerd. */
  readonly criSocket: string;
  /** Folder of OCI archives to import. */
  readonly imageDir: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly tls: { readonly certPem: string; readonly keyPem: string; readonly clientCaPem: string };
  readonly clusterDns: string | readonly string[];
  readonly clusterDomain: string;
  /** Name of the cgroup below which all pods of this node live; '/kubepods' by default. Nodes that share a kernel need different ones. */
  readonly cgroupRoot?: string;
  /** Lifetime of the node's lease in seconds (10), and how often it is renewed in ms (2000). */
  readonly leaseSeconds?: number;
  readonly renewMs?: number;
  readonly version?: string;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: MetricsRegistry;
}

const VERSION = 'v1.36.0+ballast';

/** Starts the agent of this node. Disposing it leaves all pods running; a later start takes them over. */
export async function startNodeAgent(options: NodeAgentOptions): Promise<Running> {
  const { client, clock, stateDir, nodeName } = options;
  const logger = options.logger.child({ component: 'node' });
  const nodeIps = typeof options.nodeIp === 'string' ? [options.nodeIp] : options.nodeIp;
  const dirs = { pods: join(stateDir, 'pods'), logs: join(stateDir, 'logs'), seccomp: join(stateDir, 'seccomp') };
  for (const dir of [...Object.values(dirs), options.volatileDir]) await mkdir(dir, { recursive: true, mode: 0o711 });

  await using stack = new AsyncDisposableStack();
  const cri = stack.use(createCriClient(options.criSocket));
  const machine = await readMachine(stateDir);
  const { criSocket: socketPath, imageDir } = options;
  const recordPath = join(stateDir, 'imported-images.json');
  const importer = stack.use(startImageImporter({ socketPath, cri, imageDir, recordPath, logger, clock }));
  const objects = stack.use(new ObjectCache({ client, logger, clock }));
  const services = stack.use(startInformer(client, SERVICES, { logger, clock }));
  const pods = stack.use(startInformer(client, PODS, { fieldSelector: `spec.nodeName=${nodeName}`, logger, clock }));
  const recorder = new EventRecorder({ client, clock, logger, component: 'kubelet', host: nodeName });
  const readText = (path: string) => readFile(path, 'utf8').catch(() => '');
  const context: PodContext = {
    client,
    cri,
    runtime: new RuntimeReader(cri),
    images: new ImagePuller({ cri, clock }),
    objects,
    services,
    tokens: new ServiceAccountTokens({ client, clock }),
    metrics: declareNodeMetrics(options.metrics),
    clock,
    logger,
    recordEvent: (pod, event) => recorder.record({ object: { ...pod, apiVersion: 'v1', kind: 'Pod' }, ...event }),
    nodeIps,
    allocatable: allocatableOf(machine),
    nodeMemoryBytes: machine.memoryBytes,
    volumeDirs: { persistent: dirs.pods, volatile: join(options.volatileDir, 'pods') },
    podsDir: dirs.pods,
    logDir: dirs.logs,
    seccompDir: dirs.seccomp,
    cgroupRoot: options.cgroupRoot ?? '/kubepods',
    clusterDns: typeof options.clusterDns === 'string' ? [options.clusterDns] : options.clusterDns,
    clusterDomain: options.clusterDomain,
    nodeResolver: parseResolvConf(await readText('/etc/resolv.conf')),
    nodeHosts: await readText('/etc/hosts'),
  };
  const podSet = stack.use(new PodSet(context));
  stack.use(watchTaskEvents({ socketPath: options.criSocket, clock, onEvent: () => podSet.poke() }));
  const identity = {
    nodeName,
    nodeIps,
    labels: options.labels ?? {},
    taints: options.taints ?? [],
    port: options.listen.port,
    version: options.version ?? VERSION,
  };
  const { leaseSeconds, renewMs } = options;
  const timing = {
    ...(leaseSeconds === undefined ? {} : { leaseSeconds }),
    ...(renewMs === undefined ? {} : { renewMs }),
  };
  stack.use(startRegistration({ client, cri, identity, machine, stateDir, clock, logger, ...timing }));

  stack.use(startLogRotation({ cri, podSet, logDir: dirs.logs, clock, logger }));
  const lookup = { podSet, runtime: context.runtime, logDir: dirs.logs };
  const { listen, tls, metrics } = options;
  const server = stack.use(await startNodeServer({ ...lookup, cri, nodeName, listen, tls, metrics, logger, clock }));
  logger.info('node API ready', { host: listen.host, port: server.port });

  // The server may not be reachable yet: pods wait for it, the agent's start does not.
  stack.use(
    runInBackground(async (signal) => {
      const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      await Promise.race([Promise.all([importer.initial.catch(() => {}), pods.synced, services.synced]), stopped]);
      if (signal.aborted) return;
      podSet.start(pods);
      logger.info('node agent ready', { node: nodeName });
    }),
  );
  const parts = stack.move();
  const end = Promise.withResolvers<void>();
  pods.done.catch((error: unknown) => {
    logger.error('pods are no longer followed', { error: messageOf(error) });
    end.reject(error instanceof Error ? error : new Error(messageOf(error)));
  });
  return {
    done: end.promise,
    async [Symbol.asyncDispose]() {
      await parts.disposeAsync();
      end.resolve();
    },
  };
}
