import { type Infer, kind, list, mapList, object, oneOf, required, string, time } from '../../schema/index.ts';

const CORE = 'io.k8s.api.core.v1';

const namespaceConditionSchema = object(`${CORE}.NamespaceCondition`, 'One aspect of the state.', {
  type: required(string('The aspect.')),
  status: required(string('Whether it holds.')),
  lastTransitionTime: time('Last change.'),
  reason: string('One word for programs.'),
  message: string('A sentence for people.'),
});

export const namespaceSchema = kind(`${CORE}.Namespace`, 'A space for names.', {
  spec: object(`${CORE}.NamespaceSpec`, 'Desired state of the namespace.', {
    finalizers: list(string(), 'Must be empty before the namespace disappears.'),
  }),
  status: object(`${CORE}.NamespaceStatus`, 'State of the namespace.', {
    phase: oneOf(['Active', 'Terminating'], 'Active or Terminating.'),
    conditions: mapList('type', namespaceConditionSchema, 'Details.'),
  }),
});
export interface Namespace extends Infer<typeof namespaceSchema> {}
