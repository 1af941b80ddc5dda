import {
  type CustomResourceDefinition,
  customResourceDefinitionSchema,
} from './apiextensions/custom-resource-definition.ts';
import * as authentication from './authentication/reviews.ts';
import * as authorization from './authorization/reviews.ts';
import { type Lease, leaseSchema } from './coordination/lease.ts';
import { type EndpointSlice, endpointSliceSchema } from './discovery/endpoint-slice.ts';
import { type EventV1, eventV1Schema } from './events/event.ts';
import { type Ingress, type IngressClass, ingressClassSchema, ingressSchema } from './networking/ingress.ts';
import { type NetworkPolicy, networkPolicySchema } from './networking/network-policy.ts';
import { type IPAddress, ipAddressSchema, type ServiceCIDR, serviceCIDRSchema } from './networking/service-cidr.ts';
import { type RuntimeClass, runtimeClassSchema } from './node/runtime-class.ts';
import * as rbac from './rbac/rbac.ts';
import { group, STATUS } from './resource-group.ts';
import { type PriorityClass, priorityClassSchema } from './scheduling/priority-class.ts';
import { type StorageClass, storageClassSchema } from './storage/storage-class.ts';

const networking = group('networking.k8s.io', 'v1');
const rbacGroup = group('rbac.authorization.k8s.io', 'v1');
const authenticationGroup = group('authentication.k8s.io', 'v1');
const authorizationGroup = group('authorization.k8s.io', 'v1');
const storage = group('storage.k8s.io', 'v1');

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
