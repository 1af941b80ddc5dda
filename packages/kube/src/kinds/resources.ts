import type { KubeObject } from '../meta.ts';
import type { ObjectSchema, Typed } from '../schema/index.ts';
import {
  type CustomResourceDefinition,
  customResourceDefinitionSchema,
} from './apiextensions/custom-resource-definition.ts';
import { type ControllerRevision, controllerRevisionSchema } from './apps/controller-revision.ts';
import { type DaemonSet, daemonSetSchema } from './apps/daemon-set.ts';
import { type Deployment, deploymentSchema } from './apps/deployment.ts';
import { type ReplicaSet, replicaSetSchema } from './apps/replica-set.ts';
import { type StatefulSet, statefulSetSchema } from './apps/stateful-set.ts';
import * as authentication from './authentication/reviews.ts';
import * as authorization from './authorization/reviews.ts';
import { scaleSchema } from './autoscaling/scale.ts';
import { type CronJob, cronJobSchema, type Job, jobSchema } from './batch/job.ts';
import { type Lease, leaseSchema } from './coordination/lease.ts';
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
import { type EndpointSlice, endpointSliceSchema } from './discovery/endpoint-slice.ts';
import { type EventV1, eventV1Schema } from './events/event.ts';
import { type Ingress, type IngressClass, ingressClassSchema, ingressSchema } from './networking/ingress.ts';
import { type NetworkPolicy, networkPolicySchema } from './networking/network-policy.ts';
import { type IPAddress, ipAddressSchema, type ServiceCIDR, serviceCIDRSchema } from './networking/service-cidr.ts';
import { type RuntimeClass, runtimeClassSchema } from './node/runtime-class.ts';
import { evictionSchema, type PodDisruptionBudget, podDisruptionBudgetSchema } from './policy/pod-disruption-budget.ts';
import * as rbac from './rbac/rbac.ts';
import type { ResourceType, Subresource } from './resource-type.ts';
import { type PriorityClass, priorityClassSchema } from './scheduling/priority-class.ts';
import { type StorageClass, storageClassSchema } from './storage/storage-class.ts';

export type { ResourceType, Subresource };

const ALL_VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const READ_WRITE = ['get', 'patch', 'update'];

const STATUS: Subresource = { name: 'status', verbs: READ_WRITE };
const SCALE: Subresource = {
  name: 'scale',
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  verbs: READ_WRITE,
  schema: scaleSchema,
};
const PROXY_VERBS = ['create', 'delete', 'get', 'patch', 'update'];

function connect(name: string, kind: string, verbs: readonly string[] = ['create', 'get']): Subresource {
  return { name, kind, verbs };
}

interface Description<T> {
  readonly plural: string;
  readonly kind: string;
  readonly schema: ObjectSchema & Typed<T>;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  readonly subresources?: readonly Subresource[];
  readonly verbs?: readonly string[];
  readonly clusterScoped?: boolean;
}

function group(name: string, version: string) {
  return <T extends KubeObject>(description: Description<T>): ResourceType<T> => ({
    group: name,
    version,
    plural: description.plural,
    singular: description.kind.toLowerCase(),
    kind: description.kind,
    shortNames: description.shortNames ?? [],
    categories: description.categories ?? [],
    namespaced: description.clusterScoped !== true,
    verbs: description.verbs ?? ALL_VERBS,
    subresources: description.subresources ?? [],
    schema: description.schema,
  });
}

const core = group('', 'v1');
const apps = group('apps', 'v1');
const batch = group('batch', 'v1');
const networking = group('networking.k8s.io', 'v1');
const rbacGroup = group('rbac.authorization.k8s.io', 'v1');
const authenticationGroup = group('authentication.k8s.io', 'v1');
const authorizationGroup = group('authorization.k8s.io', 'v1');
const storage = group('storage.k8s.io', 'v1');

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

export const CONTROLLER_REVISIONS = apps<ControllerRevision>({
  plural: 'controllerrevisions',
  kind: 'ControllerRevision',
  schema: controllerRevisionSchema,
});
export const DAEMON_SETS = apps<DaemonSet>({
  plural: 'daemonsets',
  kind: 'DaemonSet',
  shortNames: ['ds'],
  categories: ['all'],
  subresources: [STATUS],
  schema: daemonSetSchema,
});
export const DEPLOYMENTS = apps<Deployment>({
  plural: 'deployments',
  kind: 'Deployment',
  shortNames: ['deploy'],
  categories: ['all'],
  subresources: [SCALE, STATUS],
  schema: deploymentSchema,
});
export const REPLICA_SETS = apps<ReplicaSet>({
  plural: 'replicasets',
  kind: 'ReplicaSet',
  shortNames: ['rs'],
  categories: ['all'],
  subresources: [SCALE, STATUS],
  schema: replicaSetSchema,
});
export const STATEFUL_SETS = apps<StatefulSet>({
  plural: 'statefulsets',
  kind: 'StatefulSet',
  shortNames: ['sts'],
  categories: ['all'],
  subresources: [SCALE, STATUS],
  schema: statefulSetSchema,
});

export const CRON_JOBS = batch<CronJob>({
  plural: 'cronjobs',
  kind: 'CronJob',
  shortNames: ['cj'],
  categories: ['all'],
  subresources: [STATUS],
  schema: cronJobSchema,
});
export const JOBS = batch<Job>({
  plural: 'jobs',
  kind: 'Job',
  categories: ['all'],
  subresources: [STATUS],
  schema: jobSchema,
});

export const LEASES = group(
  'coordination.k8s.io',
  'v1',
)<Lease>({ plural: 'leases', kind: 'Lease', schema: leaseSchema });
export const ENDPOINT_SLICES = group(
  'discovery.k8s.io',
  'v1',
)<EndpointSlice>({
  plural: 'endpointslices',
  kind: 'EndpointSlice',
  schema: endpointSliceSchema,
});
/** Events as events.k8s.io shows them; the same objects as EVENTS. */
export const EVENTS_V1 = group(
  'events.k8s.io',
  'v1',
)<EventV1>({
  plural: 'events',
  kind: 'Event',
  shortNames: ['ev'],
  schema: eventV1Schema,
});

export const INGRESSES = networking<Ingress>({
  plural: 'ingresses',
  kind: 'Ingress',
  shortNames: ['ing'],
  subresources: [STATUS],
  schema: ingressSchema,
});
export const INGRESS_CLASSES = networking<IngressClass>({
  plural: 'ingressclasses',
  kind: 'IngressClass',
  clusterScoped: true,
  schema: ingressClassSchema,
});
export const IP_ADDRESSES = networking<IPAddress>({
  plural: 'ipaddresses',
  kind: 'IPAddress',
  shortNames: ['ip'],
  clusterScoped: true,
  schema: ipAddressSchema,
});
export const NETWORK_POLICIES = networking<NetworkPolicy>({
  plural: 'networkpolicies',
  kind: 'NetworkPolicy',
  shortNames: ['netpol'],
  schema: networkPolicySchema,
});
export const SERVICE_CIDRS = networking<ServiceCIDR>({
  plural: 'servicecidrs',
  kind: 'ServiceCIDR',
  clusterScoped: true,
  subresources: [STATUS],
  schema: serviceCIDRSchema,
});

export const RUNTIME_CLASSES = group(
  'node.k8s.io',
  'v1',
)<RuntimeClass>({
  plural: 'runtimeclasses',
  kind: 'RuntimeClass',
  clusterScoped: true,
  schema: runtimeClassSchema,
});
export const POD_DISRUPTION_BUDGETS = group(
  'policy',
  'v1',
)<PodDisruptionBudget>({
  plural: 'poddisruptionbudgets',
  kind: 'PodDisruptionBudget',
  shortNames: ['pdb'],
  subresources: [STATUS],
  schema: podDisruptionBudgetSchema,
});
export const PRIORITY_CLASSES = group(
  'scheduling.k8s.io',
  'v1',
)<PriorityClass>({
  plural: 'priorityclasses',
  kind: 'PriorityClass',
  shortNames: ['pc'],
  clusterScoped: true,
  schema: priorityClassSchema,
});
export const STORAGE_CLASSES = storage<StorageClass>({
  plural: 'storageclasses',
  kind: 'StorageClass',
  shortNames: ['sc'],
  clusterScoped: true,
  schema: storageClassSchema,
});

export const CLUSTER_ROLE_BINDINGS = rbacGroup<rbac.ClusterRoleBinding>({
  plural: 'clusterrolebindings',
  kind: 'ClusterRoleBinding',
  clusterScoped: true,
  schema: rbac.clusterRoleBindingSchema,
});
export const CLUSTER_ROLES = rbacGroup<rbac.ClusterRole>({
  plural: 'clusterroles',
  kind: 'ClusterRole',
  clusterScoped: true,
  schema: rbac.clusterRoleSchema,
});
export const ROLE_BINDINGS = rbacGroup<rbac.RoleBinding>({
  plural: 'rolebindings',
  kind: 'RoleBinding',
  schema: rbac.roleBindingSchema,
});
export const ROLES = rbacGroup<rbac.Role>({ plural: 'roles', kind: 'Role', schema: rbac.roleSchema });

export const CUSTOM_RESOURCE_DEFINITIONS = group(
  'apiextensions.k8s.io',
  'v1',
)<CustomResourceDefinition>({
  plural: 'customresourcedefinitions',
  kind: 'CustomResourceDefinition',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  clusterScoped: true,
  subresources: [STATUS],
  schema: customResourceDefinitionSchema,
});

export const TOKEN_REVIEWS = authenticationGroup<authentication.TokenReview>({
  plural: 'tokenreviews',
  kind: 'TokenReview',
  clusterScoped: true,
  verbs: ['create'],
  schema: authentication.tokenReviewSchema,
});
export const SELF_SUBJECT_REVIEWS = authenticationGroup<authentication.SelfSubjectReview>({
  plural: 'selfsubjectreviews',
  kind: 'SelfSubjectReview',
  clusterScoped: true,
  verbs: ['create'],
  schema: authentication.selfSubjectReviewSchema,
});
export const SUBJECT_ACCESS_REVIEWS = authorizationGroup<authorization.SubjectAccessReview>({
  plural: 'subjectaccessreviews',
  kind: 'SubjectAccessReview',
  clusterScoped: true,
  verbs: ['create'],
  schema: authorization.subjectAccessReviewSchema,
});
export const LOCAL_SUBJECT_ACCESS_REVIEWS = authorizationGroup<authorization.LocalSubjectAccessReview>({
  plural: 'localsubjectaccessreviews',
  kind: 'LocalSubjectAccessReview',
  verbs: ['create'],
  schema: authorization.localSubjectAccessReviewSchema,
});
export const SELF_SUBJECT_ACCESS_REVIEWS = authorizationGroup<authorization.SelfSubjectAccessReview>({
  plural: 'selfsubjectaccessreviews',
  kind: 'SelfSubjectAccessReview',
  clusterScoped: true,
  verbs: ['create'],
  schema: authorization.selfSubjectAccessReviewSchema,
});
export const SELF_SUBJECT_RULES_REVIEWS = authorizationGroup<authorization.SelfSubjectRulesReview>({
  plural: 'selfsubjectrulesreviews',
  kind: 'SelfSubjectRulesReview',
  clusterScoped: true,
  verbs: ['create'],
  schema: authorization.selfSubjectRulesReviewSchema,
});

/** Every built-in resource, in the order discovery lists them. */
export const RESOURCES: readonly ResourceType[] = [
  CONFIG_MAPS,
  ENDPOINTS,
  EVENTS,
  LIMIT_RANGES,
  NAMESPACES,
  NODES,
  PERSISTENT_VOLUME_CLAIMS,
  PERSISTENT_VOLUMES,
  PODS,
  POD_TEMPLATES,
  REPLICATION_CONTROLLERS,
  RESOURCE_QUOTAS,
  SECRETS,
  SERVICE_ACCOUNTS,
  SERVICES,
  EVENTS_V1,
  TOKEN_REVIEWS,
  SELF_SUBJECT_REVIEWS,
  LOCAL_SUBJECT_ACCESS_REVIEWS,
  SELF_SUBJECT_ACCESS_REVIEWS,
  SELF_SUBJECT_RULES_REVIEWS,
  SUBJECT_ACCESS_REVIEWS,
  CONTROLLER_REVISIONS,
  DAEMON_SETS,
  DEPLOYMENTS,
  REPLICA_SETS,
  STATEFUL_SETS,
  CRON_JOBS,
  JOBS,
  INGRESSES,
  INGRESS_CLASSES,
  IP_ADDRESSES,
  NETWORK_POLICIES,
  SERVICE_CIDRS,
  POD_DISRUPTION_BUDGETS,
  CLUSTER_ROLE_BINDINGS,
  CLUSTER_ROLES,
  ROLE_BINDINGS,
  ROLES,
  STORAGE_CLASSES,
  CUSTOM_RESOURCE_DEFINITIONS,
  PRIORITY_CLASSES,
  LEASES,
  RUNTIME_CLASSES,
  ENDPOINT_SLICES,
];
