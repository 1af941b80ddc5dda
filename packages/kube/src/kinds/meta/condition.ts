import { type Infer, int64, object, oneOf, required, string, time } from '../../schema/index.ts';

/** meta/v1 Condition. */
export const conditionSchema = object(
  'io.k8s.apimachinery.pkg.apis.meta.v1.Condition',
  'One aspect of the current state.',
  {
    type: required(string('The aspect.')),
    status: required(oneOf(['True', 'False', 'Unknown'], 'Whether it holds.')),
    observedGeneration: int64('The generation this was judged from.'),
    lastTransitionTime: required(time('When status last changed.')),
    reason: required(string('One word for programs.')),
    message: required(string('A sentence for people.')),
  },
);
export interface Condition extends Infer<typeof conditionSchema> {}
