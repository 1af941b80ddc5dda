import { atomic, type Infer, kind, list, map, object, oneOf, quantity, required, string } from '../../schema/index.ts';

const CORE = 'io.k8s.api.core.v1';

const scopeSelectorSchema = atomic(
  object(`${CORE}.ScopeSelector`, 'Which pods count.', {
    matchExpressions: list(
      object(`${CORE}.ScopedResourceSelectorRequirement`, 'One condition.', {
        scopeName: required(string('The scope.')),
        operator: required(oneOf(['DoesNotExist', 'Exists', 'In', 'NotIn'], 'How it relates to the values.')),
        values: list(string(), 'The values.'),
      }),
      'The conditions.',
    ),
  }),
);

export const resourceQuotaSchema = kind(`${CORE}.ResourceQuota`, 'Limits what a namespace uses in total.', {
  spec: object(`${CORE}.ResourceQuotaSpec`, 'The limits.', {
    hard: map(quantity(), 'Limit by resource.'),
    scopes: list(string(), 'What counts.'),
    scopeSelector: scopeSelectorSchema,
  }),
  status: object(`${CORE}.ResourceQuotaStatus`, 'What is used.', {
    hard: map(quantity(), 'Limit by resource.'),
    used: map(quantity(), 'Use by resource.'),
  }),
});
export interface ResourceQuota extends Infer<typeof resourceQuotaSchema> {}

export const limitRangeSchema = kind(`${CORE}.LimitRange`, 'Limits single objects of a namespace.', {
  spec: object(`${CORE}.LimitRangeSpec`, 'The limits.', {
    limits: required(
      list(
        object(`${CORE}.LimitRangeItem`, 'Limits for one type.', {
          type: required(string('Pod, Container or PersistentVolumeClaim.')),
          max: map(quantity(), 'Upper limit.'),
          min: map(quantity(), 'Lower limit.'),
          default: map(quantity(), 'Limit where none is given.'),
          defaultRequest: map(quantity(), 'Request where none is given.'),
          maxLimitRequestRatio: map(quantity(), 'Largest ratio of limit to request.'),
        }),
        'The limits.',
      ),
    ),
  }),
});
export interface LimitRange extends Infer<typeof limitRangeSchema> {}
