import { object, oneOf, required, string, time } from '../../schema/index.ts';

/** The condition types of apps/v1 and batch/v1, which differ by name only. */
export function workloadCondition(name: string) {
  return object(name, 'One aspect of the state.', {
    type: required(string('The aspect.')),
    status: required(oneOf(['True', 'False', 'Unknown'], 'Whether it holds.')),
    lastTransitionTime: time('Last change of status.'),
    reason: string('One word for programs.'),
    message: string('A sentence for people.'),
  });
}
