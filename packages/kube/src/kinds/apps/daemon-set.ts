import {
  type Infer,
  int32,
  int64,
  intOrString,
  kind,
  mapList,
  object,
  oneOf,
  required,
  withDefault,
} from '../../schema/index.ts';
import { podTemplateSpecSchema } from '../core/pod.ts';
import { labelSelectorSchema } from '../meta/label-selector.ts';
import { workloadCondition } from './workload-condition.ts';

const APPS = 'io.k8s.api.apps.v1';

const daemonSetUpdateStrategySchema = object(`${APPS}.DaemonSetUpdateStrategy`, 'How old pods give way to new ones.', {
  type: withDefault(oneOf(['OnDelete', 'RollingUpdate'], 'By itself, or when pods are deleted.'), 'RollingUpdate'),
  rollingUpdate: object(`${APPS}.RollingUpdateDaemonSet`, 'How pods are replaced.', {
    maxUnavailable: withDefault(intOrString('Most nodes without a pod.'), 1),
    maxSurge: withDefault(intOrString('Most nodes with two pods.'), 0),
  }),
});
export interface DaemonSetUpdateStrategy extends Infer<typeof daemonSetUpdateStrategySchema> {}

const daemonSetSpecSchema = object(`${APPS}.DaemonSetSpec`, 'Desired state.', {
  selector: required(labelSelectorSchema),
  template: required(podTemplateSpecSchema),
  updateStrategy: daemonSetUpdateStrategySchema,
  minReadySeconds: int32('How long ready before available.'),
  revisionHistoryLimit: withDefault(int32('How many old revisions are kept.'), 10),
});
export interface DaemonSetSpec extends Infer<typeof daemonSetSpecSchema> {}

const daemonSetConditionSchema = workloadCondition(`${APPS}.DaemonSetCondition`);
export interface DaemonSetCondition extends Infer<typeof daemonSetConditionSchema> {}

const daemonSetStatusSchema = object(`${APPS}.DaemonSetStatus`, 'Observed state.', {
  currentNumberScheduled: required(int32('Nodes with a wanted pod.')),
  numberMisscheduled: required(int32('Nodes with an unwanted pod.')),
  desiredNumberScheduled: required(int32('Nodes that should have a pod.')),
  numberReady: required(int32('Nodes with a ready pod.')),
  observedGeneration: int64('The generation this was judged from.'),
  updatedNumberScheduled: int32('Nodes with a pod of the current template.'),
  numberAvailable: int32('Nodes with an available pod.'),
  numberUnavailable: int32('Nodes without an available pod.'),
  collisionCount: int32('Collisions of names of revisions.'),
  conditions: mapList('type', daemonSetConditionSchema, 'Details.'),
});
export interface DaemonSetStatus extends Infer<typeof daemonSetStatusSchema> {}

export const daemonSetSchema = kind(`${APPS}.DaemonSet`, 'Runs a pod on every node.', {
  spec: daemonSetSpecSchema,
  status: daemonSetStatusSchema,
});
export interface DaemonSet extends Infer<typeof daemonSetSchema> {}
