import {
  about,
  boolean,
  type Infer,
  int32,
  int64,
  list,
  map,
  mapList,
  object,
  oneOf,
  patchMergeList,
  quantity,
  required,
  string,
  time,
} from '../../schema/index.ts';
import { resourceRequirementsSchema } from './resources.ts';
import { containerUserSchema } from './security-context.ts';

const CORE = 'io.k8s.api.core.v1';

const podConditionSchema = object(`${CORE}.PodCondition`, 'One aspect of the state.', {
  type: required(string('The aspect.')),
  observedGeneration: int64('The generation this was judged from.'),
  status: required(oneOf(['True', 'False', 'Unknown'], 'Whether it holds.')),
  lastProbeTime: { ...time('Last check.'), nullable: true },
  lastTransitionTime: time('Last change.'),
  reason: string('One word for programs.'),
  message: string('A sentence for people.'),
});
export interface PodCondition extends Infer<typeof podConditionSchema> {}

const containerStateWaitingSchema = object(`${CORE}.ContainerStateWaiting`, 'Not yet running.', {
  reason: string('Why, in one word.'),
  message: string('Why, in a sentence.'),
});
const containerStateRunningSchema = object(`${CORE}.ContainerStateRunning`, 'Running.', {
  startedAt: time('Since when.'),
});
const containerStateTerminatedSchema = object(`${CORE}.ContainerStateTerminated`, 'Ended.', {
  exitCode: required(int32('Exit code.')),
  signal: int32('Signal that ended it.'),
  reason: string('Why, in one word.'),
  message: string('Last words.'),
  startedAt: time('Start.'),
  finishedAt: time('End.'),
  containerID: string('Which one it was.'),
});
const containerStateSchema = object(`${CORE}.ContainerState`, 'One of waiting, running, terminated.', {
  waiting: containerStateWaitingSchema,
  running: containerStateRunningSchema,
  terminated: containerStateTerminatedSchema,
});
export interface ContainerState extends Infer<typeof containerStateSchema> {}

const volumeMountStatusSchema = object(`${CORE}.VolumeMountStatus`, 'A mount as it is.', {
  name: required(string('The volume.')),
  mountPath: required(string('Path in the container.')),
  readOnly: boolean('No writes.'),
  recursiveReadOnly: string('Whether mounts below are read-only.'),
  volumeStatus: object(`${CORE}.VolumeStatus`, 'State of the volume.', {
    image: object(`${CORE}.ImageVolumeStatus`, 'State of an image volume.', {
      imageRef: required(string('The image in use.')),
    }),
  }),
});

const resourceStatusSchema = object(`${CORE}.ResourceStatus`, 'Health of devices.', {
  name: required(string('The resource.')),
  resources: mapList(
    'resourceID',
    object(`${CORE}.ResourceHealth`, 'Health of one device.', {
      resourceID: required(string('The device.')),
      health: string('Healthy, Unhealthy or Unknown.'),
      message: string('Details.'),
    }),
    'The devices.',
    { patch: 'replace' },
  ),
});

const containerStatusSchema = object(`${CORE}.ContainerStatus`, 'The state of a container.', {
  name: required(string('The container.')),
  state: containerStateSchema,
  lastState: about(containerStateSchema, 'How the previous run ended.'),
  ready: required(boolean('Passes its readiness probe.')),
  restartCount: required(int32('How often it was restarted.')),
  image: required(string('Image reference.')),
  imageID: required(string('Image that is running.')),
  containerID: string('Runtime and id: type://id.'),
  started: boolean('Startup probe and postStart are done.'),
  allocatedResources: map(quantity(), 'Resources set aside.'),
  resources: resourceRequirementsSchema,
  volumeMounts: mapList('mountPath', volumeMountStatusSchema, 'Mounts.'),
  user: containerUserSchema,
  allocatedResourcesStatus: mapList('name', resourceStatusSchema, 'Health of devices.'),
  stopSignal: string('Signal that stops it.'),
});
export interface ContainerStatus extends Infer<typeof containerStatusSchema> {}

const podIPSchema = object(`${CORE}.PodIP`, 'An address of the pod.', { ip: required(string('The address.')) });
const hostIPSchema = object(`${CORE}.HostIP`, 'An address of the node.', { ip: required(string('The address.')) });

const podResourceClaimStatusSchema = object(`${CORE}.PodResourceClaimStatus`, 'A claim made for the pod.', {
  name: required(string('The entry in the pod.')),
  resourceClaimName: string('The claim.'),
});

export const podStatusSchema = object(`${CORE}.PodStatus`, 'The state of a pod.', {
  observedGeneration: int64('The generation this was judged from.'),
  phase: oneOf(['Failed', 'Pending', 'Running', 'Succeeded', 'Unknown'], 'Coarse state.'),
  conditions: mapList('type', podConditionSchema, 'Details.'),
  message: string('A sentence for people.'),
  reason: string('One word for programs.'),
  nominatedNodeName: string('Node kept free for this pod.'),
  hostIP: string('Address of the node.'),
  hostIPs: patchMergeList('ip', hostIPSchema, 'Addresses of the node.'),
  podIP: string('First address of the pod.'),
  podIPs: mapList('ip', podIPSchema, 'Addresses of the pod.'),
  startTime: time('When the node took the pod.'),
  initContainerStatuses: list(containerStatusSchema, 'Init containers.'),
  containerStatuses: list(containerStatusSchema, 'Containers.'),
  qosClass: oneOf(['BestEffort', 'Burstable', 'Guaranteed'], 'Quality of service.'),
  ephemeralContainerStatuses: list(containerStatusSchema, 'Ephemeral containers.'),
  resize: string('State of a resize.'),
  resourceClaimStatuses: mapList('name', podResourceClaimStatusSchema, 'Claims.', { patch: 'retainKeys' }),
  extendedResourceClaimStatus: object(`${CORE}.PodExtendedResourceClaimStatus`, 'Claim for extended resources.', {
    requestMappings: required(
      list(
        object(`${CORE}.ContainerExtendedResourceRequest`, 'Where a request went.', {
          containerName: required(string('The container.')),
          resourceName: required(string('The resource.')),
          requestName: required(string('The request.')),
        }),
        'The requests.',
      ),
    ),
    resourceClaimName: required(string('The claim.')),
  }),
  allocatedResources: map(quantity(), 'Resources set aside.'),
  resources: resourceRequirementsSchema,
});
export interface PodStatus extends Infer<typeof podStatusSchema> {}
