import {
  anyObject,
  type Infer,
  int32,
  int64,
  intOrString,
  kind,
  map,
  mapList,
  object,
  oneOf,
  replaced,
  required,
  time,
} from '../../schema/index.ts';
import { conditionSchema } from '../meta/condition.ts';
import { labelSelectorSchema } from '../meta/label-selector.ts';

const POLICY = 'io.k8s.api.policy.v1';

export const podDisruptionBudgetSchema = kind(
  `${POLICY}.PodDisruptionBudget`,
  'How many pods may be evicted at a time.',
  {
    spec: object(`${POLICY}.PodDisruptionBudgetSpec`, 'Desired state.', {
      minAvailable: intOrString('Pods that must stay.'),
      selector: replaced(labelSelectorSchema),
      maxUnavailable: intOrString('Pods that may be missing.'),
      unhealthyPodEvictionPolicy: oneOf(['AlwaysAllow', 'IfHealthyBudget'], 'Whether unhealthy pods count.'),
    }),
    status: object(`${POLICY}.PodDisruptionBudgetStatus`, 'Observed state.', {
      observedGeneration: int64('The generation this was judged from.'),
      disruptedPods: map(time(), 'Evictions under way.'),
      disruptionsAllowed: required(int32('Pods that may be evicted now.')),
      currentHealthy: required(int32('Healthy pods.')),
      desiredHealthy: required(int32('Healthy pods that must stay.')),
      expectedPods: required(int32('Pods that count.')),
      conditions: mapList('type', conditionSchema, 'Details.'),
    }),
  },
);
export interface PodDisruptionBudget extends Infer<typeof podDisruptionBudgetSchema> {}

export const evictionSchema = kind(`${POLICY}.Eviction`, 'Asks for a pod to go away.', {
  deleteOptions: anyObject('Options of the deletion.'),
});
export interface Eviction extends Infer<typeof evictionSchema> {}
