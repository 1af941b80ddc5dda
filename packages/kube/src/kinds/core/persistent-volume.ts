import {
  about,
  anyObject,
  boolean,
  type Infer,
  kind,
  list,
  map,
  object,
  oneOf,
  quantity,
  required,
  string,
  time,
  withDefault,
} from '../../schema/index.ts';
import { nodeSelectorSchema } from './affinity.ts';
import { accessModesSchema } from './persistent-volume-claim.ts';
import { objectReferenceSchema, secretReferenceSchema } from './reference.ts';
import { hostPathVolumeSourceSchema, legacyVolumeSources, nfsVolumeSourceSchema } from './volume.ts';

const CORE = 'io.k8s.api.core.v1';

const persistentVolumeSpecSchema = object(`${CORE}.PersistentVolumeSpec`, 'What the volume is.', {
  capacity: map(quantity(), 'Its size.'),
  hostPath: hostPathVolumeSourceSchema,
  nfs: nfsVolumeSourceSchema,
  local: object(`${CORE}.LocalVolumeSource`, 'A directory or device of one node.', {
    path: required(string('Path on the node.')),
    fsType: string('Filesystem.'),
  }),
  csi: object(`${CORE}.CSIPersistentVolumeSource`, 'A volume of a CSI driver.', {
    driver: required(string('The driver.')),
    volumeHandle: required(string('Its name for the volume.')),
    readOnly: boolean('No writes.'),
    fsType: string('Filesystem.'),
    volumeAttributes: map(string(), 'Parameters of the driver.'),
    controllerPublishSecretRef: secretReferenceSchema,
    nodeStageSecretRef: secretReferenceSchema,
    nodePublishSecretRef: secretReferenceSchema,
    controllerExpandSecretRef: secretReferenceSchema,
    nodeExpandSecretRef: secretReferenceSchema,
  }),
  ...legacyVolumeSources,
  storageos: anyObject('No longer implemented.'),
  accessModes: accessModesSchema,
  claimRef: about(objectReferenceSchema, 'The claim it is bound to.'),
  persistentVolumeReclaimPolicy: withDefault(
    oneOf(['Delete', 'Recycle', 'Retain'], 'What happens without claim.'),
    'Retain',
  ),
  storageClassName: string('Its class.'),
  mountOptions: list(string(), 'Mount options.'),
  volumeMode: withDefault(oneOf(['Block', 'Filesystem'], 'Device or filesystem.'), 'Filesystem'),
  nodeAffinity: object(`${CORE}.VolumeNodeAffinity`, 'Nodes that can reach it.', { required: nodeSelectorSchema }),
  volumeAttributesClassName: string('Class of attributes.'),
});

export const persistentVolumeSchema = kind(`${CORE}.PersistentVolume`, 'A piece of storage.', {
  spec: persistentVolumeSpecSchema,
  status: object(`${CORE}.PersistentVolumeStatus`, 'State of the volume.', {
    phase: oneOf(['Available', 'Bound', 'Failed', 'Pending', 'Released'], 'Coarse state.'),
    message: string('A sentence for people.'),
    reason: string('One word for programs.'),
    lastPhaseTransitionTime: time('Last change of phase.'),
  }),
});
export interface PersistentVolume extends Infer<typeof persistentVolumeSchema> {}
