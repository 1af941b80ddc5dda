import { isJsonObject, listAt, objectAt } from '../object/api-object.ts';
import type { AdmissionStep } from './step.ts';

const TOLERATION_SECONDS = 300;
const TAINTS = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'];

/** Pods stay on a node that stopped answering for five minutes, unless they say otherwise. */
export const defaultTolerationSeconds: AdmissionStep = {
  name: 'DefaultTolerationSeconds',
  handles: ({ resource, operation, subresource }) =>
    resource.storageKey === 'pods' && operation === 'create' && subresource === '',
  admit(pod) {
    const spec = objectAt(pod, 'spec');
    if (!spec) return;
    const tolerations = [...listAt(spec, 'tolerations')];
    for (const key of TAINTS) {
      const tolerated = tolerations.some(
        (toleration) =>
          isJsonObject(toleration) &&
          (toleration.key === key || !toleration.key) &&
          (toleration.effect === 'NoExecute' || !toleration.effect),
      );
      if (!tolerated) {
        tolerations.push({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: TOLERATION_SECONDS });
      }
    }
    spec.tolerations = tolerations;
  },
};
