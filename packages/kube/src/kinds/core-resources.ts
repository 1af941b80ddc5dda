import * as authentication from './authentication/reviews.ts';
import {
  type ConfigMap,
  configMapSchema,
  type Secret,
  type ServiceAccount,
  secretSchema,
  serviceAccountSchema,
} from './core/config.ts';
import { type Endpoints, endpointsSchema } from './core/endpoints.ts';
import { type Event, eventSchema } from './core/event.ts';
import { type Namespace, namespaceSchema } from './core/namespace.ts';
import { type Node, nodeSchema } from './core/node.ts';
import { type PersistentVolume, persistentVolumeSchema } from './core/persistent-volume.ts';
import { type PersistentVolumeClaim, persistentVolumeClaimSchema } from './core/persistent-volume-claim.ts';
import { bindingSchema, type Pod, type PodTemplate, podSchema, podTemplateSchema } from './core/pod.ts';
import { type LimitRange, limitRangeSchema, type ResourceQuota, resourceQuotaSchema } from './core/quota.ts';
import { type ReplicationController, replicationControllerSchema } from './core/replication-controller.ts';
import { type Service, serviceSchema } from './core/service.ts';
import { evictionSchema } from './policy/pod-disruption-budget.ts';
import { ALL_VERBS, connect, group, PROXY_VERBS, READ_WRITE, SCALE, STATUS } from './resource-group.ts';

const core = group('', 'v1');

export const CONFIG_MAPS = core<ConfigMap>({
  plural: 'configmaps',
  kind: 'ConfigMap',
  shortNames: ['cm'],
  schema: configMapSchema,
});

export const ENDPOINTS = core<Endpoints>({
  plural: 'endpoints',
  kind: 'Endpoints',
  shortNames: ['ep'],
  schema: endpointsSchema,
});

export const EVENTS = core<Event>({ plural: 'events', kind: 'Event', shortNames: ['ev'], schema: eventSchema });

export const LIMIT_RANGES = core<LimitRange>({
  plural: 'limitranges',
  kind: 'LimitRange',
  shortNames: ['limits'],
  schema: limitRangeSchema,
});

export const NAMESPACES = core<Namespace>({
  plural: 'namespaces',
  kind: 'Namespace',
  shortNames: ['ns'],
  clusterScoped: true,
  verbs: ALL_VERBS.filter((verb) => verb !== 'deletecollection'),
  subresources: [{ name: 'finalize', verbs: ['update'] }, STATUS],
  schema: namespaceSchema,
});

export const NODES = core<Node>({
  plural: 'nodes',
  kind: 'Node',
  shortNames: ['no'],
  clusterScoped: true,
  subresources: [connect('proxy', 'NodeProxyOptions', PROXY_VERBS), STATUS],
  schema: nodeSchema,
});

export const PERSISTENT_VOLUME_CLAIMS = core<PersistentVolumeClaim>({
  plural: 'persistentvolumeclaims',
  kind: 'PersistentVolumeClaim',
  shortNames: ['pvc'],
  subresources: [STATUS],
  schema: persistentVolumeClaimSchema,
});

export const PERSISTENT_VOLUMES = core<PersistentVolume>({
  plural: 'persistentvolumes',
  kind: 'PersistentVolume',
  shortNames: ['pv'],
  clusterScoped: true,
  subresources: [STATUS],
  schema: persistentVolumeSchema,
});

export const PODS = core<Pod>({
  plural: 'pods',
  kind: 'Pod',
  shortNames: ['po'],
  categories: ['all'],
  subresources: [
    connect('attach', 'PodAttachOptions'),
    { name: 'binding', kind: 'Binding', group: '', version: 'v1', verbs: ['create'], schema: bindingSchema },
    { name: 'ephemeralcontainers', verbs: READ_WRITE },
    { name: 'eviction', kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'], schema: evictionSchema },
    connect('exec', 'PodExecOptions'),
    { name: 'log', verbs: ['get'] },
    connect('portforward', 'PodPortForwardOptions'),
    connect('proxy', 'PodProxyOptions', PROXY_VERBS),
    { name: 'resize', verbs: READ_WRITE },
    STATUS,
  ],
  schema: podSchema,
});

export const POD_TEMPLATES = core<PodTemplate>({
  plural: 'podtemplates',
  kind: 'PodTemplate',
  schema: podTemplateSchema,
});

export const REPLICATION_CONTROLLERS = core<ReplicationController>({
  plural: 'replicationcontrollers',
  kind: 'ReplicationController',
  shortNames: ['rc'],
  categories: ['all'],
  subresources: [SCALE, STATUS],
  schema: replicationControllerSchema,
});

export const RESOURCE_QUOTAS = core<ResourceQuota>({
  plural: 'resourcequotas',
  kind: 'ResourceQuota',
  shortNames: ['quota'],
  subresources: [STATUS],
  schema: resourceQuotaSchema,
});

export const SECRETS = core<Secret>({ plural: 'secrets', kind: 'Secret', schema: secretSchema });

export const SERVICE_ACCOUNTS = core<ServiceAccount>({
  plural: 'serviceaccounts',
  kind: 'ServiceAccount',
  shortNames: ['sa'],
  subresources: [
    {
      name: 'token',
      kind: 'TokenRequest',
      group: 'authentication.k8s.io',
      version: 'v1',
      verbs: ['create'],
      schema: authentication.tokenRequestSchema,
    },
  ],
  schema: serviceAccountSchema,
});

export const SERVICES = core<Service>({
  plural: 'services',
  kind: 'Service',
  shortNames: ['svc'],
  categories: ['all'],
  subresources: [connect('proxy', 'ServiceProxyOptions', PROXY_VERBS), STATUS],
  schema: serviceSchema,
});
