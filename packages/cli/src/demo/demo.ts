import { join, relative } from 'node:path';
import { type Clock, isAbort, systemClock } from '@ballast/base';
import { DEPLOYMENTS, type Deployment, type KubeClient, SERVICES, type Service } from '@ballast/kube';
import { applyManifests, LAN, type Lab, lanManifests, nodesOf, type SampleApp, sampleApp } from '@ballast/lab';
import { HELLO_IMAGE } from '@ballast/node';
import { installation } from '../installation.ts';
import { bringUp } from '../lab-bring-up.ts';
import { waitForCluster } from '../lab-readiness.ts';
import { createProgress, type Progress } from '../progress.ts';
import { waitFor } from '../wait-for.ts';
import { demoSignal } from './demo-signal.ts';
import { lastComplaints } from './last-complaints.ts';
import { bgpRoute, digFromLan, fetchFromLan, neighbourOf } from './proofs.ts';
import { type DemoFacts, formatSummary } from './summary.ts';

export interface DemoOptions {
  readonly name: string;
  readonly agents: number;
  /** End after the summary instead of staying. */
  readonly once: boolean;
}

const TIMEOUT_MS = 90_000;
const REQUESTS = 12;

/** The main job: a lab with a sample application, proofs with real traffic, a summary; stays until told to end, and leaves no trace. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const clock = systemClock;
  const startMs = clock.monotonicMs();
  const progress = createProgress(process.stderr, clock);
  using stop = demoSignal((text) => process.stderr.write(text));
  const lab = await bringUp({
    name: options.name,
    agents: options.agents,
    owner: 'npm start',
    foreground: true,
    onProgress: progress.step,
  });
  try {
    const facts = await prove({ lab, clock, progress, signal: stop.signal });
    const seconds = (clock.monotonicMs() - startMs) / 1000;
    process.stdout.write(formatSummary({ ...facts, seconds }));
    if (!options.once) await stop.requested;
  } catch (error) {
    if (!isAbort(error)) {
      // The lab takes its logs with it.
      process.stderr.write(await lastComplaints(lab));
      throw error;
    }
  } finally {
    await lab[Symbol.asyncDispose]();
    process.stderr.write(
      `lab ${lab.name} is gone: no namespace, mount, process, control group or file of it is left\n`,
    );
  }
}

async function prove(context: {
  lab: Lab;
  clock: Clock;
  progress: Progress;
  signal: AbortSignal;
}): Promise<Omit<DemoFacts, 'seconds'>> {
  const { lab, clock, progress, signal } = context;
  const waiting = { clock, signal, timeoutMs: TIMEOUT_MS };
  await using client = await lab.client();
  const applying = { client, clock, timeoutMs: TIMEOUT_MS, signal };
  const names = nodesOf(lab.topology).map(({ name }) => name);
  const nodes = await waitForCluster({
    client,
    nodes: names,
    sinceMs: lab.state.startedMs,
    waiting,
    onProgress: progress.step,
  });
  await applyManifests({ ...applying, manifests: lanManifests() });
  // Not before: a cluster with one node would put all pods there.
  const app = sampleApp({ image: HELLO_IMAGE });
  await applyManifests({ ...applying, manifests: app.manifests });
  await waitFor('pods of the sample application', waiting, () => availableReplicas(client, app));
  progress.step('3 pods are ready');
  const service = await waitFor('an external address', waiting, () => externalService(client, app));
  progress.step(`external address ${service.address}; proving it with traffic`);
  const answers = await waitFor('HTTP from the LAN', waiting, async () => {
    const all = await fetchFromLan(lab, service.address, REQUESTS);
    return all.length === REQUESTS ? all : undefined;
  });
  const neighbour = await waitFor('the neighbour entry', waiting, () => neighbourOf(lab, service.address));
  const route = await waitFor('the route over BGP', waiting, async () => {
    const found = await bgpRoute(lab, service.address);
    return found && found.nextHops.length === names.length ? found : undefined;
  });
  const name = `${app.name}.${app.namespace}.svc.cluster.local`;
  const dns = await waitFor('DNS from the LAN', waiting, async () => {
    const found = await digFromLan(lab, name);
    return found.length > 0 ? found : undefined;
  });
  return {
    lab: lab.name,
    nodes,
    service: { name: `${app.namespace}/${app.name}`, ...service },
    answers,
    neighbour,
    route,
    dns: { server: LAN.dns, name, answers: dns },
    kubeconfig: lab.kubeconfigPath,
    command: commandName(),
  };
}

/** How the ballast command is called from where the user is. */
function commandName(): string {
  const path = relative(process.cwd(), join(installation.root, 'ballast'));
  return path.startsWith('..') ? path : `./${path}`;
}

async function availableReplicas(client: KubeClient, app: SampleApp): Promise<number | undefined> {
  const deployment = await client.get<Deployment>(DEPLOYMENTS, app);
  const available = deployment.status?.availableReplicas ?? 0;
  return available >= (deployment.spec?.replicas ?? 1) ? available : undefined;
}

async function externalService(
  client: KubeClient,
  app: SampleApp,
): Promise<{ address: string; clusterIP: string } | undefined> {
  const service = await client.get<Service>(SERVICES, app);
  const address = service.status?.loadBalancer?.ingress?.[0]?.ip;
  return address === undefined ? undefined : { address, clusterIP: service.spec?.clusterIP ?? '' };
}
