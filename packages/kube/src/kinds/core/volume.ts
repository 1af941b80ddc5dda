import {
  about,
  anyObject,
  boolean,
  type Infer,
  int32,
  int64,
  list,
  map,
  mapList,
  object,
  oneOf,
  quantity,
  required,
  string,
  withDefault,
} from '../../schema/index.ts';
import { labelSelectorSchema } from '../meta/label-selector.ts';
import { objectFieldSelectorSchema, resourceFieldSelectorSchema } from './container.ts';
import { persistentVolumeClaimTemplateSchema } from './persistent-volume-claim.ts';
import { localObjectReferenceSchema } from './reference.ts';

const CORE = 'io.k8s.api.core.v1';

const keyToPathSchema = object(`${CORE}.KeyToPath`, 'A key and the file it becomes.', {
  key: required(string('The key.')),
  path: required(string('Relative path of the file.')),
  mode: int32('Permission bits of the file.'),
});
export interface KeyToPath extends Infer<typeof keyToPathSchema> {}

const hostPathVolumeSourceSchema = object(`${CORE}.HostPathVolumeSource`, 'A path of the node.', {
  path: required(string('Path on the node.')),
  type: withDefault(
    oneOf(
      ['', 'DirectoryOrCreate', 'Directory', 'FileOrCreate', 'File', 'Socket', 'CharDevice', 'BlockDevice'],
      'What must be there.',
    ),
    '',
  ),
});

export { hostPathVolumeSourceSchema };
export interface HostPathVolumeSource extends Infer<typeof hostPathVolumeSourceSchema> {}

const emptyDirVolumeSourceSchema = object(
  `${CORE}.EmptyDirVolumeSource`,
  'A directory that lives as long as the pod.',
  {
    medium: string('Empty for disk, Memory for tmpfs, HugePages.'),
    sizeLimit: quantity('The most it may hold.'),
  },
);
export interface EmptyDirVolumeSource extends Infer<typeof emptyDirVolumeSourceSchema> {}

const secretVolumeSourceSchema = object(`${CORE}.SecretVolumeSource`, 'The keys of a Secret as files.', {
  secretName: string('Name of the Secret.'),
  items: list(keyToPathSchema, 'Only these keys.'),
  defaultMode: withDefault(int32('Permission bits of the files.'), 0o644),
  optional: boolean('It may be missing.'),
});
export interface SecretVolumeSource extends Infer<typeof secretVolumeSourceSchema> {}

const configMapVolumeSourceSchema = object(`${CORE}.ConfigMapVolumeSource`, 'The keys of a ConfigMap as files.', {
  name: string('Name of the ConfigMap.'),
  items: list(keyToPathSchema, 'Only these keys.'),
  defaultMode: withDefault(int32('Permission bits of the files.'), 0o644),
  optional: boolean('It may be missing.'),
});
export interface ConfigMapVolumeSource extends Infer<typeof configMapVolumeSourceSchema> {}

const downwardFileSchema = object(`${CORE}.DownwardAPIVolumeFile`, 'A file with a fact about the pod.', {
  path: required(string('Relative path of the file.')),
  fieldRef: objectFieldSelectorSchema,
  resourceFieldRef: resourceFieldSelectorSchema,
  mode: int32('Permission bits of the file.'),
});
export interface DownwardAPIVolumeFile extends Infer<typeof downwardFileSchema> {}

const downwardVolumeSourceSchema = object(`${CORE}.DownwardAPIVolumeSource`, 'Facts about the pod as files.', {
  items: list(downwardFileSchema, 'The files.'),
  defaultMode: withDefault(int32('Permission bits of the files.'), 0o644),
});
export interface DownwardAPIVolumeSource extends Infer<typeof downwardVolumeSourceSchema> {}

const secretProjectionSchema = object(`${CORE}.SecretProjection`, 'Keys of a Secret.', {
  name: string('Name of the Secret.'),
  items: list(keyToPathSchema, 'Only these keys.'),
  optional: boolean('It may be missing.'),
});
const configMapProjectionSchema = object(`${CORE}.ConfigMapProjection`, 'Keys of a ConfigMap.', {
  name: string('Name of the ConfigMap.'),
  items: list(keyToPathSchema, 'Only these keys.'),
  optional: boolean('It may be missing.'),
});
const downwardProjectionSchema = object(`${CORE}.DownwardAPIProjection`, 'Facts about the pod.', {
  items: list(downwardFileSchema, 'The files.'),
});
const serviceAccountTokenProjectionSchema = object(
  `${CORE}.ServiceAccountTokenProjection`,
  'A token of the pod’s account.',
  {
    audience: string('Who accepts the token; the API server if absent.'),
    expirationSeconds: withDefault(int64('Lifetime; at least ten minutes.'), 3600),
    path: required(string('Relative path of the file.')),
  },
);
const clusterTrustBundleProjectionSchema = object(`${CORE}.ClusterTrustBundleProjection`, 'Trust anchors.', {
  name: string('One bundle.'),
  signerName: string('All bundles of a signer.'),
  labelSelector: labelSelectorSchema,
  optional: boolean('It may be missing.'),
  path: required(string('Relative path of the file.')),
});
const podCertificateProjectionSchema = object(`${CORE}.PodCertificateProjection`, 'A certificate for the pod.', {
  signerName: required(string('Who signs.')),
  keyType: required(string('Kind of key.')),
  maxExpirationSeconds: int32('Longest lifetime.'),
  credentialBundlePath: string('File with key and chain.'),
  keyPath: string('File with the key.'),
  certificateChainPath: string('File with the chain.'),
  userAnnotations: map(string(), 'Hints for the signer.'),
});
const volumeProjectionSchema = object(`${CORE}.VolumeProjection`, 'One of the sources.', {
  secret: secretProjectionSchema,
  downwardAPI: downwardProjectionSchema,
  configMap: configMapProjectionSchema,
  serviceAccountToken: serviceAccountTokenProjectionSchema,
  clusterTrustBundle: clusterTrustBundleProjectionSchema,
  podCertificate: podCertificateProjectionSchema,
});
export interface VolumeProjection extends Infer<typeof volumeProjectionSchema> {}

const projectedVolumeSourceSchema = object(`${CORE}.ProjectedVolumeSource`, 'Several sources in one directory.', {
  sources: list(volumeProjectionSchema, 'The sources.'),
  defaultMode: withDefault(int32('Permission bits of the files.'), 0o644),
});
export interface ProjectedVolumeSource extends Infer<typeof projectedVolumeSourceSchema> {}

const persistentVolumeClaimVolumeSourceSchema = object(`${CORE}.PersistentVolumeClaimVolumeSource`, 'A claim.', {
  claimName: required(string('Name of the claim.')),
  readOnly: boolean('No writes.'),
});
export const nfsVolumeSourceSchema = object(`${CORE}.NFSVolumeSource`, 'An NFS export.', {
  server: required(string('The server.')),
  path: required(string('The exported path.')),
  readOnly: boolean('No writes.'),
});
const csiVolumeSourceSchema = object(`${CORE}.CSIVolumeSource`, 'A volume made by a CSI driver.', {
  driver: required(string('The driver.')),
  readOnly: boolean('No writes.'),
  fsType: string('Filesystem.'),
  volumeAttributes: map(string(), 'Parameters of the driver.'),
  nodePublishSecretRef: localObjectReferenceSchema,
});
const ephemeralVolumeSourceSchema = object(`${CORE}.EphemeralVolumeSource`, 'A claim that lives as long as the pod.', {
  volumeClaimTemplate: persistentVolumeClaimTemplateSchema,
});
const imageVolumeSourceSchema = object(`${CORE}.ImageVolumeSource`, 'The content of an image.', {
  reference: string('Image reference.'),
  pullPolicy: oneOf(['Always', 'IfNotPresent', 'Never'], 'When to pull.'),
});

/** Volume sources whose in-tree drivers are gone upstream too; kept as they were written. */
export const legacyVolumeSources = {
  awsElasticBlockStore: anyObject('No longer implemented.'),
  azureDisk: anyObject('No longer implemented.'),
  azureFile: anyObject('No longer implemented.'),
  cephfs: anyObject('No longer implemented.'),
  cinder: anyObject('No longer implemented.'),
  fc: anyObject('Not implemented.'),
  flexVolume: anyObject('Not implemented.'),
  flocker: anyObject('No longer implemented.'),
  gcePersistentDisk: anyObject('No longer implemented.'),
  glusterfs: anyObject('No longer implemented.'),
  iscsi: anyObject('Not implemented.'),
  photonPersistentDisk: anyObject('No longer implemented.'),
  portworxVolume: anyObject('No longer implemented.'),
  quobyte: anyObject('No longer implemented.'),
  rbd: anyObject('No longer implemented.'),
  scaleIO: anyObject('No longer implemented.'),
  storageos: anyObject('No longer implemented.'),
  vsphereVolume: anyObject('No longer implemented.'),
};

const volumeSchema = object(`${CORE}.Volume`, 'A directory or device that containers can mount.', {
  name: required(string('Unique in the pod.')),
  hostPath: hostPathVolumeSourceSchema,
  emptyDir: emptyDirVolumeSourceSchema,
  secret: secretVolumeSourceSchema,
  configMap: configMapVolumeSourceSchema,
  downwardAPI: downwardVolumeSourceSchema,
  projected: projectedVolumeSourceSchema,
  persistentVolumeClaim: persistentVolumeClaimVolumeSourceSchema,
  nfs: nfsVolumeSourceSchema,
  csi: csiVolumeSourceSchema,
  ephemeral: ephemeralVolumeSourceSchema,
  image: imageVolumeSourceSchema,
  gitRepo: anyObject('No longer implemented.'),
  ...legacyVolumeSources,
});
export interface Volume extends Infer<typeof volumeSchema> {}

export const volumesSchema = about(
  mapList('name', volumeSchema, undefined, { patch: 'retainKeys' }),
  'Volumes that containers of the pod can mount.',
);
