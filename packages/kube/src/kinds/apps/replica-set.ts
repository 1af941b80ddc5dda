import { type Infer, int32, int64, kind, mapList, object, required, withDefault } from '../../schema/index.ts';
import { podTemplateSpecSchema } from '../core/pod.ts';
import { labelSelectorSchema } from '../meta/label-selector.ts';
import { workloadCondition } from './workload-condition.ts';

const APPS = 'io.k8s.api.apps.v1';

const replicaSetSpecSchema = object(`${APPS}.ReplicaSetSpec`, 'Desired state.', {
  replicas: withDefault(int32('How many pods.'), 1),
  minReadySeconds: int32('How long ready before available.'),
  selector: required(labelSelectorSchema),
  template: podTemplateSpecSchema,
});
export interface ReplicaSetSpec extends Infer<typeof replicaSetSpecSchema> {}

const replicaSetConditionSchema = workloadCondition(`${APPS}.ReplicaSetCondition`);
export interface ReplicaSetCondition extends Infer<typeof replicaSetConditionSchema> {}

const replicaSetStatusSchema = object(`${APPS}.ReplicaSetStatus`, 'Observed state.', {
  replicas: required(int32('Pods.')),
  fullyLabeledReplicas: int32('Pods with all labels of the template.'),
  readyReplicas: int32('Ready pods.'),
  availableReplicas: int32('Available pods.'),
  terminatingReplicas: int32('Pods that are going away.'),
  observedGeneration: int64('The generation this was judged from.'),
  conditions: mapList('type', replicaSetConditionSchema, 'Details.'),
});
export interface ReplicaSetStatus extends Infer<typeof replicaSetStatusSchema> {}

export const replicaSetSchema = kind(`${APPS}.ReplicaSet`, 'Keeps a number of pods running.', {
  spec: replicaSetSpecSchema,
  status: replicaSetStatusSchema,
});
export interface ReplicaSet extends Infer<typeof replicaSetSchema> {}
