import {
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
  setOf,
  string,
  time,
} from '../../schema/index.ts';

const CORE = 'io.k8s.api.core.v1';

const taintSchema = object(`${CORE}.Taint`, 'Keeps pods away that do not tolerate it.', {
  key: required(string('Key of the taint.')),
  value: string('Value of the taint.'),
  effect: required(oneOf(['NoExecute', 'NoSchedule', 'PreferNoSchedule'], 'What happens to pods.')),
  timeAdded: time('When the taint was added.'),
});
export interface Taint extends Infer<typeof taintSchema> {}

const configMapNodeConfigSourceSchema = object(`${CORE}.ConfigMapNodeConfigSource`, 'Not used any more.', {
  namespace: required(string()),
  name: required(string()),
  uid: string(),
  resourceVersion: string(),
  kubeletConfigKey: required(string()),
});
const nodeConfigSourceSchema = object(`${CORE}.NodeConfigSource`, 'Not used any more.', {
  configMap: configMapNodeConfigSourceSchema,
});

const nodeSpecSchema = object(`${CORE}.NodeSpec`, 'Desired state of the node.', {
  podCIDR: string('Addresses for the pods of this node.'),
  podCIDRs: setOf(string(), 'The same, one per family.', 'merge'),
  providerID: string('The machine, as the infrastructure names it.'),
  unschedulable: boolean('No new pods.'),
  taints: list(taintSchema, 'Keep pods away.'),
  configSource: nodeConfigSourceSchema,
  externalID: string('Not used any more.'),
});
export interface NodeSpec extends Infer<typeof nodeSpecSchema> {}

const nodeConditionSchema = object(`${CORE}.NodeCondition`, 'One aspect of the state.', {
  type: required(string('The aspect.')),
  status: required(oneOf(['True', 'False', 'Unknown'], 'Whether it holds.')),
  lastHeartbeatTime: time('Last report.'),
  lastTransitionTime: time('Last change.'),
  reason: string('One word for programs.'),
  message: string('A sentence for people.'),
});
export interface NodeCondition extends Infer<typeof nodeConditionSchema> {}

const nodeAddressSchema = object(`${CORE}.NodeAddress`, 'An address of the node.', {
  type: required(string('Hostname, InternalIP, ExternalIP, InternalDNS or ExternalDNS.')),
  address: required(string('The address.')),
});
export interface NodeAddress extends Infer<typeof nodeAddressSchema> {}

const daemonEndpointSchema = object(`${CORE}.DaemonEndpoint`, 'A port of the node agent.', {
  Port: required(int32('The port.')),
});

const nodeSystemInfoSchema = object(`${CORE}.NodeSystemInfo`, 'What the node is.', {
  machineID: required(string('From /etc/machine-id.')),
  systemUUID: required(string('From the firmware.')),
  bootID: required(string('Changes with every boot.')),
  kernelVersion: required(string('Kernel.')),
  osImage: required(string('Distribution.')),
  containerRuntimeVersion: required(string('Runtime, as type://version.')),
  kubeletVersion: required(string('Node agent.')),
  kubeProxyVersion: required(string('Not used any more.')),
  operatingSystem: required(string('Operating system.')),
  architecture: required(string('Processor.')),
  swap: object(`${CORE}.NodeSwapStatus`, 'Swap space.', { capacity: int64('In bytes.') }),
});
export interface NodeSystemInfo extends Infer<typeof nodeSystemInfoSchema> {}

const containerImageSchema = object(`${CORE}.ContainerImage`, 'An image on the node.', {
  names: list(string(), 'Its names.'),
  sizeBytes: int64('Its size.'),
});
export interface ContainerImage extends Infer<typeof containerImageSchema> {}

const attachedVolumeSchema = object(`${CORE}.AttachedVolume`, 'A volume at the node.', {
  name: required(string('The volume.')),
  devicePath: required(string('Its device.')),
});

const nodeRuntimeHandlerSchema = object(`${CORE}.NodeRuntimeHandler`, 'A runtime of the node.', {
  name: string('Its name; empty for the default.'),
  features: object(`${CORE}.NodeRuntimeHandlerFeatures`, 'What it can do.', {
    recursiveReadOnlyMounts: boolean('Recursive read-only mounts.'),
    userNamespaces: boolean('User namespaces.'),
  }),
});

const nodeConfigStatusSchema = object(`${CORE}.NodeConfigStatus`, 'Not used any more.', {
  assigned: nodeConfigSourceSchema,
  active: nodeConfigSourceSchema,
  lastKnownGood: nodeConfigSourceSchema,
  error: string(),
});

const nodeStatusSchema = object(`${CORE}.NodeStatus`, 'State of the node.', {
  capacity: map(quantity(), 'Everything it has.'),
  allocatable: map(quantity(), 'What pods can have of it.'),
  phase: string('Not used any more.'),
  conditions: mapList('type', nodeConditionSchema, 'Details.'),
  addresses: mapList('type', nodeAddressSchema, 'How it is reached.'),
  daemonEndpoints: object(`${CORE}.NodeDaemonEndpoints`, 'Ports of the node agent.', {
    kubeletEndpoint: daemonEndpointSchema,
  }),
  nodeInfo: nodeSystemInfoSchema,
  images: list(containerImageSchema, 'Images on the node.'),
  volumesInUse: list(string(), 'Volumes that are mounted.'),
  volumesAttached: list(attachedVolumeSchema, 'Volumes that are attached.'),
  config: nodeConfigStatusSchema,
  runtimeHandlers: list(nodeRuntimeHandlerSchema, 'Runtimes of the node.'),
  features: object(`${CORE}.NodeFeatures`, 'What the runtime can do.', {
    supplementalGroupsPolicy: boolean('Policy Strict is kept.'),
  }),
  declaredFeatures: list(string(), 'Features the node agent declares.'),
});
export interface NodeStatus extends Infer<typeof nodeStatusSchema> {}

export const nodeSchema = kind(`${CORE}.Node`, 'A machine that runs pods.', {
  spec: nodeSpecSchema,
  status: nodeStatusSchema,
});
export interface Node extends Infer<typeof nodeSchema> {}
