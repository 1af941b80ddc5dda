import { randomBytes } from 'node:crypto';
import { BallastError, type Clock, type Logger, messageOf } from '@ballast/base';
import { apiVersionOf, isApiError, type KubeClient, type KubeObject, type Patch, type Resource } from '@ballast/kube';
import { NODE_DNS_PORT } from './ports.ts';

/** Field manager of what the distribution applies. */
const FIELD_MANAGER = 'ballast-addons';

/** An object that every cluster has. `once`: only made when missing, because its contents are the user's from then on. */
export interface Addon {
  readonly resource: Resource;
  readonly object: KubeObject;
  readonly policy: 'apply' | 'once';
}

const NAMESPACES: Resource = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false };
const SERVICES: Resource = { group: '', version: 'v1', plural: 'services', kind: 'Service', namespaced: true };
const CONFIG_MAPS: Resource = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true };
const SECRETS: Resource = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true };
const CRDS: Resource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  namespaced: false,
};
const CLUSTER_ROLES: Resource = {
  group: 'rbac.authorization.k8s.io',
  version: 'v1',
  plural: 'clusterroles',
  kind: 'ClusterRole',
  namespaced: false,
};
const CLUSTER_ROLE_BINDINGS: Resource = { ...CLUSTER_ROLES, plural: 'clusterrolebindings', kind: 'ClusterRoleBinding' };

/** What the server installs through the API when it starts. */
export function clusterAddons(options: {
  clusterDns: string;
  corefile: string;
  customResources: readonly object[];
}): Addon[] {
  const addon = (resource: Resource, policy: Addon['policy'], object: KubeObject): Addon => ({
    resource,
    policy,
    object: { ...object, apiVersion: apiVersionOf(resource), kind: resource.kind },
  });
  return [
    ...options.customResources.map((object) => addon(CRDS, 'apply', object as KubeObject)),
    addon(NAMESPACES, 'apply', { metadata: { name: 'metallb-system' } }),
    addon(CONFIG_MAPS, 'once', {
      metadata: { name: 'coredns', namespace: 'kube-system' },
      data: { Corefile: options.corefile },
    } as KubeObject),
    addon(SERVICES, 'apply', dnsService(options.clusterDns)),
    addon(SECRETS, 'once', {
      metadata: { name: 'ballast-memberlist', namespace: 'metallb-system' },
      type: 'Opaque',
      data: { secretkey: randomBytes(32).toString('base64') },
    } as KubeObject),
    ...roles().map((role) => addon(CLUSTER_ROLES, 'apply', role)),
    addon(CLUSTER_ROLE_BINDINGS, 'apply', {
      metadata: { name: 'cluster-admin' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
      subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'system:masters' }],
    } as KubeObject),
  ];
}

/** The cluster's DNS address. Its endpoints are the nodes, on each of which a DNS server listens; a pod's queries stay on its node. */
function dnsService(clusterIP: string): KubeObject {
  const port = (name: string, protocol: string) => ({ name, protocol, port: 53, targetPort: NODE_DNS_PORT });
  return {
    metadata: {
      name: 'kube-dns',
      namespace: 'kube-system',
      labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' },
      annotations: { 'ballast.dev/endpoints': 'nodes' },
    },
    spec: {
      type: 'ClusterIP',
      clusterIP,
      trafficDistribution: 'PreferSameNode',
      ports: [port('dns', 'UDP'), port('dns-tcp', 'TCP')],
    },
  } as KubeObject;
}

function roles(): KubeObject[] {
  const role = (name: string, rules: object[]) => ({ metadata: { name }, rules }) as KubeObject;
  const everything = { apiGroups: ['*'], resources: ['*'] };
  return [
    role('cluster-admin', [
      { ...everything, verbs: ['*'] },
      { nonResourceURLs: ['*'], verbs: ['*'] },
    ]),
    role('view', [{ apiGroups: ['', 'apps', 'discovery.k8s.io'], resources: ['*'], verbs: ['get', 'list', 'watch'] }]),
  ];
}

/** Installs the add-ons, trying again until all of them are there. */
export async function installAddons(options: {
  client: KubeClient;
  addons: readonly Addon[];
  logger: Logger;
  clock: Clock;
  signal: AbortSignal;
}): Promise<void> {
  const { client, logger, clock, signal } = options;
  let left = [...options.addons];
  for (let delayMs = 100; left.length > 0; delayMs = Math.min(delayMs * 2, 5000)) {
    const failed: Addon[] = [];
    let why: unknown;
    for (const addon of left) {
      try {
        await install(client, addon);
      } catch (error) {
        why = error;
        failed.push(addon);
      }
    }
    left = failed;
    if (left.length === 0) break;
    const names = left.map(({ object }) => `${object.kind}/${object.metadata.name}`);
    logger.warn('add-ons not yet installed, trying again', { addons: names, reason: messageOf(why), delayMs });
    await clock.sleep(delayMs, signal);
  }
  logger.info('add-ons installed', { count: options.addons.length });
}

async function install(client: KubeClient, addon: Addon): Promise<void> {
  const { resource, object } = addon;
  if (object.metadata.name === '')
    throw new BallastError('addon-nameless', `an add-on of kind ${object.kind} has no name`);
  const ref = { name: object.metadata.name, namespace: object.metadata.namespace };
  if (addon.policy === 'once') {
    await client.create(resource, object).catch((error: unknown) => {
      if (!isApiError(error, 'AlreadyExists')) throw error;
    });
    return;
  }
  const patch: Patch = { type: 'apply', body: object, fieldManager: FIELD_MANAGER, force: true };
  await client.patch(resource, ref, patch);
}
