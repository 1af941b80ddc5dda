import { atomic, type Infer, list, map, object, oneOf, required, string } from '../../schema/index.ts';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

export const labelSelectorRequirementSchema = object(`${META}.LabelSelectorRequirement`, 'One condition on labels.', {
  key: required(string('The label that is looked at.')),
  operator: required(oneOf(['In', 'NotIn', 'Exists', 'DoesNotExist'], 'How the key relates to the values.')),
  values: list(string(), 'For In and NotIn; empty for the others.'),
});
export interface LabelSelectorRequirement extends Infer<typeof labelSelectorRequirementSchema> {}

export const labelSelectorSchema = atomic(
  object(`${META}.LabelSelector`, 'Selects objects by their labels; all conditions must hold, none means everything.', {
    matchLabels: map(string(), 'Labels that must have exactly these values.'),
    matchExpressions: list(labelSelectorRequirementSchema, 'Further conditions.'),
  }),
);
export interface LabelSelector extends Infer<typeof labelSelectorSchema> {}
