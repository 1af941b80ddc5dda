import {
  about,
  atomic,
  boolean,
  type Infer,
  int32,
  int64,
  kind,
  list,
  map,
  mapList,
  object,
  oneOf,
  quantity,
  required,
  string,
  templateMeta,
  withDefault,
} from '../../schema/index.ts';
import { affinitySchema, tolerationSchema, topologySpreadConstraintSchema } from './affinity.ts';
import { containerSchema, ephemeralContainerSchema, imagePullSecretsSchema } from './container.ts';
import { podStatusSchema } from './pod-status.ts';
import { objectReferenceSchema } from './reference.ts';
import { resourceRequirementsSchema } from './resources.ts';
import { podSecurityContextSchema } from './security-context.ts';
import { volumesSchema } from './volume.ts';

const CORE = 'io.k8s.api.core.v1';

const hostAliasSchema = object(`${CORE}.HostAlias`, 'A line of the hosts file.', {
  ip: required(string('The address.')),
  hostnames: list(string(), 'Names of the address.'),
});
export interface HostAlias extends Infer<typeof hostAliasSchema> {}

const podDNSConfigOptionSchema = object(`${CORE}.PodDNSConfigOption`, 'An option of resolv.conf.', {
  name: string('Name of the option.'),
  value: string('Value of the option.'),
});
const podDNSConfigSchema = object(`${CORE}.PodDNSConfig`, 'Added to what dnsPolicy gives.', {
  nameservers: list(string(), 'Name servers.'),
  searches: list(string(), 'Search domains.'),
  options: list(podDNSConfigOptionSchema, 'Resolver options.'),
});
export interface PodDNSConfig extends Infer<typeof podDNSConfigSchema> {}

const podReadinessGateSchema = object(`${CORE}.PodReadinessGate`, 'A condition that readiness waits for.', {
  conditionType: required(string('The condition.')),
});
const podSchedulingGateSchema = object(`${CORE}.PodSchedulingGate`, 'Keeps the pod from being scheduled.', {
  name: required(string('Name of the gate.')),
});
const podOSSchema = object(`${CORE}.PodOS`, 'Operating system.', {
  name: required(string('linux or windows.')),
});
const podResourceClaimSchema = object(`${CORE}.PodResourceClaim`, 'A device claim.', {
  name: required(string('Unique in the pod.')),
  resourceClaimName: string('An existing claim.'),
  resourceClaimTemplateName: string('A template to make the claim from.'),
});
const schedulingGroupSchema = object(`${CORE}.PodSchedulingGroup`, 'The group the pod is scheduled with.', {
  podGroupName: string('Name of the group.'),
});

export const podSpecSchema = object(`${CORE}.PodSpec`, 'What a pod is made of.', {
  volumes: volumesSchema,
  initContainers: mapList('name', containerSchema, 'Run one after the other before the containers.'),
  containers: required(mapList('name', containerSchema, 'The programs of the pod; cannot be added or removed.')),
  ephemeralContainers: mapList('name', ephemeralContainerSchema, 'Added to the running pod for debugging.'),
  restartPolicy: withDefault(oneOf(['Always', 'OnFailure', 'Never'], 'When ended containers start again.'), 'Always'),
  terminationGracePeriodSeconds: withDefault(int64('Seconds between the polite and the forced end.'), 30),
  activeDeadlineSeconds: int64('Seconds after which the pod is failed.'),
  dnsPolicy: withDefault(
    oneOf(['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'], 'Where resolv.conf comes from.'),
    'ClusterFirst',
  ),
  nodeSelector: atomic(map(string(), 'Labels that the node must have.')),
  serviceAccountName: string('Account the pod acts as.'),
  serviceAccount: string('Old name of serviceAccountName.'),
  automountServiceAccountToken: boolean('Whether a token is mounted.'),
  nodeName: string('The node that runs the pod.'),
  hostNetwork: boolean('Use the network of the node.'),
  hostPID: boolean('Use the process ids of the node.'),
  hostIPC: boolean('Use the IPC of the node.'),
  shareProcessNamespace: boolean('One process namespace for all containers.'),
  securityContext: podSecurityContextSchema,
  imagePullSecrets: imagePullSecretsSchema,
  hostname: string('Host name of the pod.'),
  subdomain: string('Middle part of the full host name.'),
  affinity: affinitySchema,
  schedulerName: withDefault(string('Who finds the node.'), 'default-scheduler'),
  tolerations: list(tolerationSchema, 'Taints the pod puts up with.'),
  hostAliases: mapList('ip', hostAliasSchema, 'Lines added to the hosts file.'),
  priorityClassName: string('Name of the priority.'),
  priority: int32('The priority as a number.'),
  dnsConfig: podDNSConfigSchema,
  readinessGates: list(podReadinessGateSchema, 'Conditions that readiness waits for.'),
  runtimeClassName: string('Which runtime runs the pod.'),
  enableServiceLinks: boolean('Environment variables for Services; true if absent.'),
  preemptionPolicy: oneOf(['Never', 'PreemptLowerPriority'], 'Whether it may displace other pods.'),
  overhead: map(quantity(), 'What the runtime itself needs.'),
  topologySpreadConstraints: mapList(
    ['topologyKey', 'whenUnsatisfiable'],
    topologySpreadConstraintSchema,
    'How evenly the pods are spread.',
  ),
  setHostnameAsFQDN: boolean('The kernel host name is the full name.'),
  os: podOSSchema,
  hostUsers: boolean('Use the user namespace of the node.'),
  schedulingGates: mapList('name', podSchedulingGateSchema, 'Keep the pod from being scheduled.'),
  resourceClaims: mapList('name', podResourceClaimSchema, 'Device claims.', { patch: 'retainKeys' }),
  resources: about(resourceRequirementsSchema, 'Resources of the whole pod.'),
  hostnameOverride: string('Host name as seen from inside.'),
  schedulingGroup: schedulingGroupSchema,
});
export interface PodSpec extends Infer<typeof podSpecSchema> {}

export const podSchema = kind(`${CORE}.Pod`, 'Containers that run together on one node.', {
  spec: podSpecSchema,
  status: podStatusSchema,
});
export interface Pod extends Infer<typeof podSchema> {}

export const podTemplateSpecSchema = object(`${CORE}.PodTemplateSpec`, 'What pods are made from.', {
  metadata: templateMeta,
  spec: podSpecSchema,
});
export interface PodTemplateSpec extends Infer<typeof podTemplateSpecSchema> {}

export const podTemplateSchema = kind(`${CORE}.PodTemplate`, 'A stored template for pods.', {
  template: podTemplateSpecSchema,
});
export interface PodTemplate extends Infer<typeof podTemplateSchema> {}

export const bindingSchema = kind(`${CORE}.Binding`, 'Assigns a pod to a node.', {
  target: required(about(objectReferenceSchema, 'The node.')),
});
export interface Binding extends Infer<typeof bindingSchema> {}
