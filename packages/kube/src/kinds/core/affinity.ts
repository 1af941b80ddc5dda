import { atomic, type Infer, int32, int64, list, object, oneOf, required, string } from '../../schema/index.ts';
import { labelSelectorSchema } from '../meta/label-selector.ts';

const CORE = 'io.k8s.api.core.v1';

const nodeSelectorRequirementSchema = object(`${CORE}.NodeSelectorRequirement`, 'One condition on a node.', {
  key: required(string('The label or field.')),
  operator: required(oneOf(['DoesNotExist', 'Exists', 'Gt', 'In', 'Lt', 'NotIn'], 'How it relates to the values.')),
  values: list(string(), 'The values.'),
});
export interface NodeSelectorRequirement extends Infer<typeof nodeSelectorRequirementSchema> {}

const nodeSelectorTermSchema = atomic(
  object(`${CORE}.NodeSelectorTerm`, 'Conditions that must all hold; an empty term matches nothing.', {
    matchExpressions: list(nodeSelectorRequirementSchema, 'Conditions on labels.'),
    matchFields: list(nodeSelectorRequirementSchema, 'Conditions on fields.'),
  }),
);
export interface NodeSelectorTerm extends Infer<typeof nodeSelectorTermSchema> {}

export const nodeSelectorSchema = atomic(
  object(`${CORE}.NodeSelector`, 'Terms of which one must match.', {
    nodeSelectorTerms: required(list(nodeSelectorTermSchema, 'The terms.')),
  }),
);
export interface NodeSelector extends Infer<typeof nodeSelectorSchema> {}

const preferredSchedulingTermSchema = object(`${CORE}.PreferredSchedulingTerm`, 'A term and what it is worth.', {
  weight: required(int32('From 1 to 100.')),
  preference: required(nodeSelectorTermSchema),
});
export interface PreferredSchedulingTerm extends Infer<typeof preferredSchedulingTermSchema> {}

const nodeAffinitySchema = object(`${CORE}.NodeAffinity`, 'Which nodes are allowed or preferred.', {
  requiredDuringSchedulingIgnoredDuringExecution: nodeSelectorSchema,
  preferredDuringSchedulingIgnoredDuringExecution: list(preferredSchedulingTermSchema, 'Preferred nodes.'),
});
export interface NodeAffinity extends Infer<typeof nodeAffinitySchema> {}

const podAffinityTermSchema = object(`${CORE}.PodAffinityTerm`, 'Pods to be near to or away from.', {
  labelSelector: labelSelectorSchema,
  namespaces: list(string(), 'Their namespaces.'),
  topologyKey: required(string('What near means: a node label.')),
  namespaceSelector: labelSelectorSchema,
  matchLabelKeys: list(string(), 'Labels whose values are taken from this pod.'),
  mismatchLabelKeys: list(string(), 'Labels whose values must differ from this pod.'),
});
export interface PodAffinityTerm extends Infer<typeof podAffinityTermSchema> {}

const weightedPodAffinityTermSchema = object(`${CORE}.WeightedPodAffinityTerm`, 'A term and what it is worth.', {
  weight: required(int32('From 1 to 100.')),
  podAffinityTerm: required(podAffinityTermSchema),
});
export interface WeightedPodAffinityTerm extends Infer<typeof weightedPodAffinityTermSchema> {}

const podAffinitySchema = object(`${CORE}.PodAffinity`, 'Pods to be near to.', {
  requiredDuringSchedulingIgnoredDuringExecution: list(podAffinityTermSchema, 'Must hold.'),
  preferredDuringSchedulingIgnoredDuringExecution: list(weightedPodAffinityTermSchema, 'Should hold.'),
});
export interface PodAffinity extends Infer<typeof podAffinitySchema> {}

const podAntiAffinitySchema = object(`${CORE}.PodAntiAffinity`, 'Pods to be away from.', {
  requiredDuringSchedulingIgnoredDuringExecution: list(podAffinityTermSchema, 'Must hold.'),
  preferredDuringSchedulingIgnoredDuringExecution: list(weightedPodAffinityTermSchema, 'Should hold.'),
});
export interface PodAntiAffinity extends Infer<typeof podAntiAffinitySchema> {}

export const affinitySchema = object(`${CORE}.Affinity`, 'Where the pod wants to be.', {
  nodeAffinity: nodeAffinitySchema,
  podAffinity: podAffinitySchema,
  podAntiAffinity: podAntiAffinitySchema,
});
export interface Affinity extends Infer<typeof affinitySchema> {}

export const tolerationSchema = object(`${CORE}.Toleration`, 'A taint that the pod puts up with.', {
  key: string('Key of the taint; absent for all.'),
  operator: oneOf(['Equal', 'Exists', 'Gt', 'Lt'], 'How the value is compared; Equal if absent.'),
  value: string('Value of the taint.'),
  effect: oneOf(['NoExecute', 'NoSchedule', 'PreferNoSchedule'], 'Effect of the taint; absent for all.'),
  tolerationSeconds: int64('For NoExecute: how long.'),
});
export interface Toleration extends Infer<typeof tolerationSchema> {}

export const topologySpreadConstraintSchema = object(
  `${CORE}.TopologySpreadConstraint`,
  'How evenly pods are spread.',
  {
    maxSkew: required(int32('Largest difference between two places.')),
    topologyKey: required(string('What a place is: a node label.')),
    whenUnsatisfiable: required(oneOf(['DoNotSchedule', 'ScheduleAnyway'], 'What to do when it cannot be kept.')),
    labelSelector: labelSelectorSchema,
    minDomains: int32('Fewest places that must exist.'),
    nodeAffinityPolicy: oneOf(['Honor', 'Ignore'], 'Whether node affinity limits the places.'),
    nodeTaintsPolicy: oneOf(['Honor', 'Ignore'], 'Whether taints limit the places.'),
    matchLabelKeys: list(string(), 'Labels whose values are taken from this pod.'),
  },
);
export interface TopologySpreadConstraint extends Infer<typeof topologySpreadConstraintSchema> {}
