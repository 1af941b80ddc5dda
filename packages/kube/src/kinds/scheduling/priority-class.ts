import { boolean, type Infer, int32, kind, oneOf, required, string, withDefault } from '../../schema/index.ts';

export const priorityClassSchema = kind('io.k8s.api.scheduling.v1.PriorityClass', 'A name for a priority.', {
  value: required(int32('The priority.')),
  globalDefault: boolean('For pods that name none.'),
  description: string('When to use it.'),
  preemptionPolicy: withDefault(
    oneOf(['Never', 'PreemptLowerPriority'], 'Whether it may displace pods.'),
    'PreemptLowerPriority',
  ),
});
export interface PriorityClass extends Infer<typeof priorityClassSchema> {}
