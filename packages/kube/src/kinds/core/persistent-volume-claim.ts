import {
  type Infer,
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
  time,
  withDefault,
} from '../../schema/index.ts';
import { labelSelectorSchema } from '../meta/label-selector.ts';
import { typedLocalObjectReferenceSchema, typedObjectReferenceSchema } from './reference.ts';
import { volumeResourceRequirementsSchema } from './resources.ts';

const CORE = 'io.k8s.api.core.v1';

export const accessModesSchema = list(
  oneOf(['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']),
  'How the volume can be mounted.',
);

const persistentVolumeClaimSpecSchema = object(`${CORE}.PersistentVolumeClaimSpec`, 'The volume that is wanted.', {
  accessModes: accessModesSchema,
  selector: labelSelectorSchema,
  resources: volumeResourceRequirementsSchema,
  volumeName: string('The volume that is bound.'),
  storageClassName: string('Class of the volume.'),
  volumeMode: withDefault(oneOf(['Block', 'Filesystem'], 'Device or filesystem.'), 'Filesystem'),
  dataSource: typedLocalObjectReferenceSchema,
  dataSourceRef: typedObjectReferenceSchema,
  volumeAttributesClassName: string('Class of attributes.'),
});
export interface PersistentVolumeClaimSpec extends Infer<typeof persistentVolumeClaimSpecSchema> {}

export const persistentVolumeClaimTemplateSchema = object(
  `${CORE}.PersistentVolumeClaimTemplate`,
  'A claim to be made.',
  {
    metadata: templateMeta,
    spec: required(persistentVolumeClaimSpecSchema),
  },
);

const persistentVolumeClaimConditionSchema = object(
  `${CORE}.PersistentVolumeClaimCondition`,
  'One aspect of the state.',
  {
    type: required(string('The aspect.')),
    status: required(string('Whether it holds.')),
    lastProbeTime: time('Last check.'),
    lastTransitionTime: time('Last change.'),
    reason: string('One word for programs.'),
    message: string('A sentence for people.'),
  },
);

const persistentVolumeClaimStatusSchema = object(`${CORE}.PersistentVolumeClaimStatus`, 'What became of the claim.', {
  phase: oneOf(['Bound', 'Lost', 'Pending'], 'Pending, Bound or Lost.'),
  accessModes: accessModesSchema,
  capacity: map(quantity(), 'Size of the bound volume.'),
  conditions: mapList('type', persistentVolumeClaimConditionSchema, 'Details.'),
  allocatedResources: map(quantity(), 'Size set aside.'),
  allocatedResourceStatuses: map(string(), 'State of a resize.'),
  currentVolumeAttributesClassName: string('Class in use.'),
  modifyVolumeStatus: object(`${CORE}.ModifyVolumeStatus`, 'State of a change of class.', {
    targetVolumeAttributesClassName: string('Wanted class.'),
    status: required(string('How far it got.')),
  }),
});

export const persistentVolumeClaimSchema = kind(`${CORE}.PersistentVolumeClaim`, 'A request for storage.', {
  spec: persistentVolumeClaimSpecSchema,
  status: persistentVolumeClaimStatusSchema,
});
export interface PersistentVolumeClaim extends Infer<typeof persistentVolumeClaimSchema> {}
