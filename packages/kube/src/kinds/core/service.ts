import {
  atomic,
  boolean,
  type Infer,
  int32,
  intOrString,
  kind,
  list,
  map,
  mapList,
  object,
  oneOf,
  required,
  string,
  withDefault,
} from '../../schema/index.ts';
import { conditionSchema } from '../meta/condition.ts';

const CORE = 'io.k8s.api.core.v1';

const servicePortSchema = object(`${CORE}.ServicePort`, 'A port of the Service.', {
  name: string('Unique in the Service; required when there are several ports.'),
  protocol: withDefault(oneOf(['SCTP', 'TCP', 'UDP'], 'TCP, UDP or SCTP.'), 'TCP'),
  appProtocol: string('Protocol of the application.'),
  port: required(int32('Port of the Service.')),
  targetPort: intOrString('Number or name of the port on the pods; the Service port if absent.'),
  nodePort: int32('Port on every node.'),
});
export interface ServicePort extends Infer<typeof servicePortSchema> {}

const clientIPConfigSchema = object(`${CORE}.ClientIPConfig`, 'Affinity by client address.', {
  timeoutSeconds: int32('How long a client stays with its pod.'),
});
const sessionAffinityConfigSchema = object(`${CORE}.SessionAffinityConfig`, 'Settings of session affinity.', {
  clientIP: clientIPConfigSchema,
});
export interface SessionAffinityConfig extends Infer<typeof sessionAffinityConfigSchema> {}

export const serviceSpecSchema = object(`${CORE}.ServiceSpec`, 'How the Service is reached and what it leads to.', {
  ports: mapList(['port', 'protocol'], servicePortSchema, 'Ports of the Service.'),
  selector: atomic(map(string(), 'Labels of the pods behind it.')),
  clusterIP: string('Address inside the cluster; None for a headless Service.'),
  clusterIPs: list(string(), 'All addresses inside the cluster.'),
  type: withDefault(
    oneOf(['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'], 'From where it can be reached.'),
    'ClusterIP',
  ),
  externalIPs: list(string(), 'Further addresses that nodes accept traffic for.'),
  sessionAffinity: withDefault(oneOf(['ClientIP', 'None'], 'Whether a client stays with its pod.'), 'None'),
  loadBalancerIP: string('Wanted address of the load balancer.'),
  loadBalancerSourceRanges: list(string(), 'Clients that the load balancer lets through.'),
  externalName: string('Name that DNS answers with.'),
  externalTrafficPolicy: oneOf(['Cluster', 'Local'], 'Which pods serve outside clients.'),
  healthCheckNodePort: int32('Port where nodes say whether they have a pod.'),
  publishNotReadyAddresses: boolean('Pods that are not ready count too.'),
  sessionAffinityConfig: sessionAffinityConfigSchema,
  ipFamilies: list(oneOf(['IPv4', 'IPv6']), 'Address families.'),
  ipFamilyPolicy: oneOf(['PreferDualStack', 'RequireDualStack', 'SingleStack'], 'One family or two.'),
  allocateLoadBalancerNodePorts: boolean('Whether a load balancer gets node ports.'),
  loadBalancerClass: string('Which load balancer is meant.'),
  internalTrafficPolicy: oneOf(['Cluster', 'Local'], 'Which pods serve clients in the cluster.'),
  trafficDistribution: string('Preference among pods.'),
});
export interface ServiceSpec extends Infer<typeof serviceSpecSchema> {}

const portStatusSchema = object(`${CORE}.PortStatus`, 'State of a port.', {
  port: required(int32('The port.')),
  protocol: required(string('Its protocol.')),
  error: string('What went wrong.'),
});
const loadBalancerIngressSchema = object(`${CORE}.LoadBalancerIngress`, 'A point of entry.', {
  ip: string('Its address.'),
  hostname: string('Its name.'),
  ipMode: oneOf(['Proxy', 'VIP'], 'Whether packets arrive with this address.'),
  ports: list(portStatusSchema, 'State of the ports.'),
});
export interface LoadBalancerIngress extends Infer<typeof loadBalancerIngressSchema> {}

const loadBalancerStatusSchema = object(`${CORE}.LoadBalancerStatus`, 'State of the load balancer.', {
  ingress: list(loadBalancerIngressSchema, 'Points of entry.'),
});
export interface LoadBalancerStatus extends Infer<typeof loadBalancerStatusSchema> {}

const serviceStatusSchema = object(`${CORE}.ServiceStatus`, 'State of the Service.', {
  loadBalancer: loadBalancerStatusSchema,
  conditions: mapList('type', conditionSchema, 'Details.'),
});
export interface ServiceStatus extends Infer<typeof serviceStatusSchema> {}

export const serviceSchema = kind(`${CORE}.Service`, 'A stable address for a set of pods.', {
  spec: serviceSpecSchema,
  status: serviceStatusSchema,
});
export interface Service extends Infer<typeof serviceSchema> {}
