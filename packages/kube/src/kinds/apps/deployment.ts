import {
  boolean,
  type Infer,
  int32,
  int64,
  intOrString,
  kind,
  mapList,
  object,
  oneOf,
  required,
  retainKeys,
  string,
  time,
  withDefault,
} from '../../schema/index.ts';
import { podTemplateSpecSchema } from '../core/pod.ts';
import { labelSelectorSchema } from '../meta/label-selector.ts';

const APPS = 'io.k8s.api.apps.v1';

const rollingUpdateDeploymentSchema = object(`${APPS}.RollingUpdateDeployment`, 'How pods are replaced.', {
  maxUnavailable: withDefault(intOrString('Most pods that may be missing, as a number or percentage.'), '25%'),
  maxSurge: withDefault(intOrString('Most pods that may be too many, as a number or percentage.'), '25%'),
});
export interface RollingUpdateDeployment extends Infer<typeof rollingUpdateDeploymentSchema> {}

const deploymentStrategySchema = retainKeys(
  object(`${APPS}.DeploymentStrategy`, 'How old pods give way to new ones.', {
    type: withDefault(oneOf(['Recreate', 'RollingUpdate'], 'All at once or one after the other.'), 'RollingUpdate'),
    rollingUpdate: rollingUpdateDeploymentSchema,
  }),
);
export interface DeploymentStrategy extends Infer<typeof deploymentStrategySchema> {}

const deploymentSpecSchema = object(`${APPS}.DeploymentSpec`, 'Desired state.', {
  replicas: withDefault(int32('How many pods.'), 1),
  selector: required(labelSelectorSchema),
  template: required(podTemplateSpecSchema),
  strategy: deploymentStrategySchema,
  minReadySeconds: int32('How long ready before available.'),
  revisionHistoryLimit: withDefault(int32('How many old ReplicaSets are kept.'), 10),
  paused: boolean('Changes are not rolled out.'),
  progressDeadlineSeconds: withDefault(int32('When a rollout without progress counts as failed.'), 600),
});
export interface DeploymentSpec extends Infer<typeof deploymentSpecSchema> {}

const deploymentConditionSchema = object(`${APPS}.DeploymentCondition`, 'One aspect of the state.', {
  type: required(string('The aspect.')),
  status: required(oneOf(['True', 'False', 'Unknown'], 'Whether it holds.')),
  lastUpdateTime: time('Last report.'),
  lastTransitionTime: time('Last change of status.'),
  reason: string('One word for programs.'),
  message: string('A sentence for people.'),
});
export interface DeploymentCondition extends Infer<typeof deploymentConditionSchema> {}

const deploymentStatusSchema = object(`${APPS}.DeploymentStatus`, 'Observed state.', {
  observedGeneration: int64('The generation this was judged from.'),
  replicas: int32('Pods.'),
  updatedReplicas: int32('Pods of the current template.'),
  readyReplicas: int32('Ready pods.'),
  availableReplicas: int32('Available pods.'),
  unavailableReplicas: int32('Pods that are still missing.'),
  terminatingReplicas: int32('Pods that are going away.'),
  conditions: mapList('type', deploymentConditionSchema, 'Details.'),
  collisionCount: int32('Collisions of names of ReplicaSets.'),
});
export interface DeploymentStatus extends Infer<typeof deploymentStatusSchema> {}

export const deploymentSchema = kind(`${APPS}.Deployment`, 'Keeps pods running and replaces them step by step.', {
  spec: deploymentSpecSchema,
  status: deploymentStatusSchema,
});
export interface Deployment extends Infer<typeof deploymentSchema> {}
