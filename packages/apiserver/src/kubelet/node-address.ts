import type { Kernel } from '../kernel.ts';
import { type ApiObject, isJsonObject, listAt, numberAt, textAt } from '../object/api-object.ts';
import { badRequest, failure, notFound } from '../object/failures.ts';

const DEFAULT_KUBELET_PORT = 10250;

/** Where a node's agent listens. */
export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}

export function addressOfNode(kernel: Kernel, name: string): NodeAddress {
  const node = kernel.cache.of('nodes').get(name)?.parse();
  if (!node) throw notFound({ group: '', plural: 'nodes' }, name);
  const addresses = listAt(node, 'status', 'addresses').filter(isJsonObject);
  const byType = (type: string) => addresses.find((address) => address.type === type)?.address;
  const host = byType('InternalIP') ?? byType('ExternalIP') ?? byType('Hostname');
  if (typeof host !== 'string')
    throw failure('ServiceUnavailable', `node ${name} has no address yet`, { retryAfterSeconds: 1 });
  return { host, port: numberAt(node, 'status', 'daemonEndpoints', 'kubeletEndpoint', 'Port') || DEFAULT_KUBELET_PORT };
}

/** The pod, and the agent of the node that it runs on. */
export function findPod(kernel: Kernel, namespace: string, name: string): { pod: ApiObject; node: NodeAddress } {
  const pod = kernel.cache.of('pods').get(`${namespace}/${name}`)?.parse();
  if (!pod) throw notFound({ group: '', plural: 'pods' }, name);
  const nodeName = textAt(pod, 'spec', 'nodeName');
  if (!nodeName) throw badRequest(`pod ${name} does not have a host assigned`);
  return { pod, node: addressOfNode(kernel, nodeName) };
}

const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';

/** The container that a request means: the one it names, the only one, or the one that the pod's annotation names. */
export function containerOf(pod: ApiObject, wanted: string | null): string {
  const names = (field: string) => listAt(pod, 'spec', field).map((container) => textAt(container, 'name') ?? '');
  const main = names('containers');
  const all = [...main, ...names('initContainers'), ...names('ephemeralContainers')];
  if (wanted) {
    if (all.includes(wanted)) return wanted;
    throw badRequest(`container ${wanted} is not valid for pod ${pod.metadata.name}`);
  }
  const annotated = pod.metadata.annotations?.[DEFAULT_CONTAINER];
  if (annotated && all.includes(annotated)) return annotated;
  const [only] = main;
  if (only !== undefined && main.length === 1) return only;
  throw badRequest(
    `a container name must be specified for pod ${pod.metadata.name}, choose one of: [${main.join(' ')}]`,
  );
}
