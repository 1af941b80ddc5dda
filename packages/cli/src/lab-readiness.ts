import type { Clock } from '@ballast/base';
import {
  CUSTOM_RESOURCE_DEFINITIONS,
  type CustomResourceDefinition,
  type KubeClient,
  LEASES,
  type Lease,
  NAMESPACES,
  NODES,
  type Node,
} from '@ballast/kube';
import { METALLB_CRDS } from '@ballast/loadbalancer';
import { waitFor } from './wait-for.ts';

/** What people's manifests for the load balancer go into. */
const LOAD_BALANCER_NAMESPACE = 'metallb-system';

export interface ReadyNode {
  readonly name: string;
  readonly address: string;
  readonly ready: boolean;
}

export interface Waiting {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly timeoutMs: number;
}

/**
 * Waits until a cluster can be used: its API server answers, the kinds and namespaces that every cluster has are there, and all nodes
 * are Ready. Each of these has `timeoutMs`. A node counts when it has renewed its Lease at `sinceMs` or later: what a cluster that was
 * switched on again says of its nodes is at first what it last knew.
 */
export async function waitForCluster(options: {
  client: KubeClient;
  nodes: readonly string[];
  sinceMs: number;
  waiting: Waiting;
  onProgress: (text: string) => void;
}): Promise<readonly ReadyNode[]> {
  const { client, nodes, sinceMs, waiting, onProgress } = options;
  await waitFor('the API server', waiting, () => client.get(NAMESPACES, { name: 'kube-system' }));
  onProgress('API server answers; waiting for add-ons');
  await waitFor('add-ons', waiting, async () => ((await hasAddons(client)) ? true : undefined));
  onProgress('add-ons are installed; waiting for nodes');
  const ready = await waitFor('nodes Ready', waiting, () => readyNodes(client, nodes, sinceMs));
  onProgress(`${ready.length} ${ready.length === 1 ? 'node is' : 'nodes are'} Ready`);
  return ready;
}

/** Whether manifests of the load balancer's kinds can be applied. */
async function hasAddons(client: KubeClient): Promise<boolean> {
  const { items } = await client.list<CustomResourceDefinition>(CUSTOM_RESOURCE_DEFINITIONS);
  const established = new Set(items.filter(isEstablished).map(({ metadata }) => metadata.name));
  if (!METALLB_CRDS.every(({ metadata }) => established.has(metadata.name))) return false;
  await client.get(NAMESPACES, { name: LOAD_BALANCER_NAMESPACE });
  return true;
}

function isEstablished({ status }: CustomResourceDefinition): boolean {
  return (
    status?.conditions?.some((condition) => condition.type === 'Established' && condition.status === 'True') ?? false
  );
}

/** The nodes in the order of `names` when all of these are Ready; throws with those that are not, for the error of a wait. */
async function readyNodes(
  client: KubeClient,
  names: readonly string[],
  sinceMs: number,
): Promise<readonly ReadyNode[]> {
  const leases = await client.list<Lease>(LEASES, { namespace: 'kube-node-lease' });
  const alive = new Set(
    leases.items
      .filter(({ spec }) => Date.parse(spec?.renewTime ?? '') >= sinceMs)
      .map(({ metadata }) => metadata.name),
  );
  const { items } = await client.list<Node>(NODES);
  const nodes = items.map((node) => ({
    name: node.metadata.name,
    address: node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '',
    ready: node.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false,
  }));
  const missing = names.filter((name) => !alive.has(name) || !nodes.some((node) => node.name === name && node.ready));
  if (missing.length > 0) throw new Error(`not Ready: ${missing.join(', ')}`);
  return nodes.sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
}
