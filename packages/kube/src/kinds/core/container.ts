import {
  about,
  atomic,
  boolean,
  type Infer,
  int32,
  list,
  mapList,
  object,
  oneOf,
  quantity,
  required,
  string,
  withDefault,
} from '../../schema/index.ts';
import { lifecycleSchema, probeSchema } from './probe.ts';
import { localObjectReferenceSchema } from './reference.ts';
import { resourceRequirementsSchema } from './resources.ts';
import { securityContextSchema } from './security-context.ts';

const CORE = 'io.k8s.api.core.v1';

export const containerPortSchema = object(`${CORE}.ContainerPort`, 'A port a container listens on.', {
  name: string('Unique in the pod; Services may refer to it.'),
  hostPort: int32('Port of the node that leads here.'),
  containerPort: required(int32('Port on the pod IP.')),
  protocol: withDefault(oneOf(['SCTP', 'TCP', 'UDP'], 'TCP, UDP or SCTP.'), 'TCP'),
  hostIP: string('Node address for the host port.'),
});
export interface ContainerPort extends Infer<typeof containerPortSchema> {}

export const objectFieldSelectorSchema = atomic(
  object(`${CORE}.ObjectFieldSelector`, 'A field of the pod.', {
    apiVersion: withDefault(string('Version the path is written in.'), 'v1'),
    fieldPath: required(string('For example metadata.name or status.podIP.')),
  }),
);
export interface ObjectFieldSelector extends Infer<typeof objectFieldSelectorSchema> {}

export const resourceFieldSelectorSchema = atomic(
  object(`${CORE}.ResourceFieldSelector`, 'A resource amount of a container.', {
    containerName: string('The container; required in volumes.'),
    resource: required(string('For example limits.cpu.')),
    divisor: withDefault(quantity('Unit of the result.'), '0'),
  }),
);
export interface ResourceFieldSelector extends Infer<typeof resourceFieldSelectorSchema> {}

const configMapKeySelectorSchema = atomic(
  object(`${CORE}.ConfigMapKeySelector`, 'A key of a ConfigMap.', {
    name: string('Name of the ConfigMap.'),
    key: required(string('The key.')),
    optional: boolean('It may be missing.'),
  }),
);
const secretKeySelectorSchema = atomic(
  object(`${CORE}.SecretKeySelector`, 'A key of a Secret.', {
    name: string('Name of the Secret.'),
    key: required(string('The key.')),
    optional: boolean('It may be missing.'),
  }),
);
const fileKeySelectorSchema = atomic(
  object(`${CORE}.FileKeySelector`, 'A key of an env file in a volume.', {
    volumeName: required(string('The volume.')),
    path: required(string('Path of the file in the volume.')),
    key: required(string('The key.')),
    optional: withDefault(boolean('It may be missing.'), false),
  }),
);

const envVarSourceSchema = object(`${CORE}.EnvVarSource`, 'Where the value comes from.', {
  fieldRef: objectFieldSelectorSchema,
  resourceFieldRef: resourceFieldSelectorSchema,
  configMapKeyRef: configMapKeySelectorSchema,
  secretKeyRef: secretKeySelectorSchema,
  fileKeyRef: fileKeySelectorSchema,
});
export interface EnvVarSource extends Infer<typeof envVarSourceSchema> {}

const envVarSchema = object(`${CORE}.EnvVar`, 'An environment variable.', {
  name: required(string('Name of the variable.')),
  value: string('The value; $(NAME) is replaced by earlier variables.'),
  valueFrom: envVarSourceSchema,
});
export interface EnvVar extends Infer<typeof envVarSchema> {}

const configMapEnvSourceSchema = object(`${CORE}.ConfigMapEnvSource`, 'All keys of a ConfigMap.', {
  name: string('Name of the ConfigMap.'),
  optional: boolean('It may be missing.'),
});
const secretEnvSourceSchema = object(`${CORE}.SecretEnvSource`, 'All keys of a Secret.', {
  name: string('Name of the Secret.'),
  optional: boolean('It may be missing.'),
});
const envFromSourceSchema = object(`${CORE}.EnvFromSource`, 'Variables from every key of an object.', {
  prefix: string('Put before each key.'),
  configMapRef: configMapEnvSourceSchema,
  secretRef: secretEnvSourceSchema,
});
export interface EnvFromSource extends Infer<typeof envFromSourceSchema> {}

const volumeMountSchema = object(`${CORE}.VolumeMount`, 'Where a volume appears in the container.', {
  name: required(string('The volume of the pod.')),
  readOnly: boolean('No writes.'),
  recursiveReadOnly: oneOf(['Disabled', 'IfPossible', 'Enabled'], 'Whether mounts below are read-only too.'),
  mountPath: required(string('Path in the container.')),
  subPath: string('Path in the volume.'),
  mountPropagation: oneOf(['None', 'HostToContainer', 'Bidirectional'], 'How mounts spread.'),
  subPathExpr: string('Like subPath, with $(NAME) expanded.'),
});
export interface VolumeMount extends Infer<typeof volumeMountSchema> {}

const volumeDeviceSchema = object(`${CORE}.VolumeDevice`, 'A raw block device in the container.', {
  name: required(string('The claim of the pod.')),
  devicePath: required(string('Path in the container.')),
});
export interface VolumeDevice extends Infer<typeof volumeDeviceSchema> {}

const containerResizePolicySchema = object(`${CORE}.ContainerResizePolicy`, 'What a change of resources does.', {
  resourceName: required(string('cpu or memory.')),
  restartPolicy: required(oneOf(['NotRequired', 'RestartContainer'], 'Whether the container restarts.')),
});

const restartRuleExitCodesSchema = object(`${CORE}.ContainerRestartRuleOnExitCodes`, 'Compares the exit code.', {
  operator: required(oneOf(['In', 'NotIn'], 'How the code relates to the values.')),
  values: setOf32('The exit codes.'),
});
const containerRestartRuleSchema = object(`${CORE}.ContainerRestartRule`, 'What to do for an exit code.', {
  action: required(oneOf(['Restart', 'RestartAllContainers'], 'What to do.')),
  exitCodes: restartRuleExitCodesSchema,
});

function setOf32(description: string) {
  return { ...list(int32(), description), listType: 'set' as const };
}

const shared = {
  name: required(string('Unique in the pod.')),
  image: string('Image reference.'),
  command: list(string(), 'Replaces the entry point of the image.'),
  args: list(string(), 'Replaces the arguments of the image.'),
  workingDir: string('Working directory; the image decides if absent.'),
  ports: mapList(['containerPort', 'protocol'], containerPortSchema, 'Ports the container listens on.'),
  envFrom: list(envFromSourceSchema, 'Variables from ConfigMaps and Secrets.'),
  env: mapList('name', envVarSchema, 'Environment variables.'),
  resources: about(resourceRequirementsSchema, 'What the container needs and may use.'),
  resizePolicy: list(containerResizePolicySchema, 'What a change of resources does.'),
  restartPolicy: oneOf(
    ['Always', 'Never', 'OnFailure'],
    'Overrides the pod; Always makes an init container a sidecar.',
  ),
  restartPolicyRules: list(containerRestartRuleSchema, 'Exit codes that override the restart policy.'),
  volumeMounts: mapList('mountPath', volumeMountSchema, 'Volumes and where they appear.'),
  volumeDevices: mapList('devicePath', volumeDeviceSchema, 'Block devices and where they appear.'),
  livenessProbe: about(probeSchema, 'Restarts the container when it fails.'),
  readinessProbe: about(probeSchema, 'Takes the pod out of Services when it fails.'),
  startupProbe: about(probeSchema, 'Holds the other probes back until it succeeds.'),
  lifecycle: lifecycleSchema,
  terminationMessagePath: withDefault(string('File with the last words of the container.'), '/dev/termination-log'),
  terminationMessagePolicy: withDefault(
    oneOf(['FallbackToLogsOnError', 'File'], 'Where the last words come from.'),
    'File',
  ),
  imagePullPolicy: oneOf(['Always', 'IfNotPresent', 'Never'], 'When to pull; Always if the tag is latest.'),
  securityContext: securityContextSchema,
  stdin: boolean('Keep standard input open.'),
  stdinOnce: boolean('Close standard input after the first client.'),
  tty: boolean('Give it a terminal.'),
};

export const containerSchema = object(`${CORE}.Container`, 'A program that runs in the pod.', shared);
export interface Container extends Infer<typeof containerSchema> {}

export const ephemeralContainerSchema = object(
  `${CORE}.EphemeralContainer`,
  'A container added to a running pod to debug it.',
  {
    ...shared,
    targetContainerName: string('The container whose namespaces it shares.'),
  },
);
export interface EphemeralContainer extends Infer<typeof ephemeralContainerSchema> {}

export const imagePullSecretsSchema = mapList('name', localObjectReferenceSchema, 'Secrets for pulling images.');
