import {
  type Infer,
  int32,
  int64,
  intOrString,
  kind,
  list,
  mapList,
  object,
  oneOf,
  required,
  string,
  withDefault,
} from '../../schema/index.ts';
import { persistentVolumeClaimSchema } from '../core/persistent-volume-claim.ts';
import { podTemplateSpecSchema } from '../core/pod.ts';
import { labelSelectorSchema } from '../meta/label-selector.ts';
import { workloadCondition } from './workload-condition.ts';

const APPS = 'io.k8s.api.apps.v1';

const statefulSetUpdateStrategySchema = object(
  `${APPS}.StatefulSetUpdateStrategy`,
  'How old pods give way to new ones.',
  {
    type: withDefault(oneOf(['OnDelete', 'RollingUpdate'], 'By itself, or when pods are deleted.'), 'RollingUpdate'),
    rollingUpdate: object(`${APPS}.RollingUpdateStatefulSetStrategy`, 'How pods are replaced.', {
      partition: withDefault(int32('Pods below this number keep the old template.'), 0),
      maxUnavailable: intOrString('Most pods that may be missing.'),
    }),
  },
);

const statefulSetSpecSchema = object(`${APPS}.StatefulSetSpec`, 'Desired state.', {
  replicas: withDefault(int32('How many pods.'), 1),
  selector: required(labelSelectorSchema),
  template: required(podTemplateSpecSchema),
  volumeClaimTemplates: list(persistentVolumeClaimSchema, 'Claims made for each pod.'),
  serviceName: string('The Service that names the pods.'),
  podManagementPolicy: withDefault(
    oneOf(['OrderedReady', 'Parallel'], 'One after the other or all at once.'),
    'OrderedReady',
  ),
  updateStrategy: statefulSetUpdateStrategySchema,
  revisionHistoryLimit: withDefault(int32('How many old revisions are kept.'), 10),
  minReadySeconds: int32('How long ready before available.'),
  persistentVolumeClaimRetentionPolicy: object(
    `${APPS}.StatefulSetPersistentVolumeClaimRetentionPolicy`,
    'What happens to the claims.',
    {
      whenDeleted: withDefault(oneOf(['Delete', 'Retain'], 'When the StatefulSet is deleted.'), 'Retain'),
      whenScaled: withDefault(oneOf(['Delete', 'Retain'], 'When it gets smaller.'), 'Retain'),
    },
  ),
  ordinals: object(`${APPS}.StatefulSetOrdinals`, 'Numbers of the pods.', {
    start: int32('The first number.'),
  }),
});
export interface StatefulSetSpec extends Infer<typeof statefulSetSpecSchema> {}

const statefulSetStatusSchema = object(`${APPS}.StatefulSetStatus`, 'Observed state.', {
  observedGeneration: int64('The generation this was judged from.'),
  replicas: required(int32('Pods.')),
  readyReplicas: int32('Ready pods.'),
  currentReplicas: int32('Pods of the current revision.'),
  updatedReplicas: int32('Pods of the next revision.'),
  currentRevision: string('The current revision.'),
  updateRevision: string('The next revision.'),
  collisionCount: int32('Collisions of names of revisions.'),
  conditions: mapList('type', workloadCondition(`${APPS}.StatefulSetCondition`), 'Details.'),
  availableReplicas: int32('Available pods.'),
});
export interface StatefulSetStatus extends Infer<typeof statefulSetStatusSchema> {}

export const statefulSetSchema = kind(`${APPS}.StatefulSet`, 'Pods with stable names and storage.', {
  spec: statefulSetSpecSchema,
  status: statefulSetStatusSchema,
});
export interface StatefulSet extends Infer<typeof statefulSetSchema> {}
