import { fieldAt, numberAt, objectAt, textAt } from '../object/api-object.ts';
import { forbidden } from '../object/failures.ts';
import type { AdmissionStep } from './step.ts';

/** The two classes that every cluster has, also before anyone stored them. */
const BUILT_IN = new Map([
  ['system-node-critical', 2_000_001_000],
  ['system-cluster-critical', 2_000_000_000],
]);

/** Turns priorityClassName into a number; without one, the global default class or 0. */
export const podPriority: AdmissionStep = {
  name: 'Priority',
  handles: ({ resource, operation, subresource }) =>
    resource.storageKey === 'pods' && operation === 'create' && subresource === '',
  admit(pod, _old, { kernel, resource }) {
    const spec = objectAt(pod, 'spec');
    if (!spec) return;
    const classes = kernel.cache.of('priorityclasses.scheduling.k8s.io');
    const name = textAt(spec, 'priorityClassName');
    if (!name) {
      const byDefault = [...classes.objects()]
        .map((found) => found.parse())
        .find((found) => found.globalDefault === true);
      if (byDefault) spec.priorityClassName = byDefault.metadata.name;
      spec.priority = byDefault ? (numberAt(byDefault, 'value') ?? 0) : 0;
      spec.preemptionPolicy = textAt(byDefault, 'preemptionPolicy') ?? 'PreemptLowerPriority';
      return;
    }
    const stored = classes.get(name)?.parse();
    const value = numberAt(stored, 'value') ?? BUILT_IN.get(name);
    if (value === undefined) {
      throw forbidden(resource, pod.metadata.name ?? '', `no PriorityClass with name ${name} was found`);
    }
    const given = fieldAt(spec, 'priority');
    if (given !== undefined && given !== value) {
      throw forbidden(
        resource,
        pod.metadata.name ?? '',
        `the integer value of priority (${given}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
      );
    }
    spec.priority = value;
    spec.preemptionPolicy ??= textAt(stored, 'preemptionPolicy') ?? 'PreemptLowerPriority';
  },
};
