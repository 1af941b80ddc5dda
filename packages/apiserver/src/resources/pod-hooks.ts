import { numberAt, objectAt } from '../object/api-object.ts';
import type { WriteHooks } from './definition.ts';
import { qosClassOf } from './pod-qos.ts';

export const podHooks: WriteHooks = {
  prepareForCreate(pod) {
    pod.status = { phase: 'Pending', qosClass: qosClassOf(pod) };
  },
  prepareForUpdate(pod, old, { subresource }) {
    // The class of a pod is decided once; a status written by a node does not always carry it.
    const status = objectAt(pod, 'status');
    const before = objectAt(old, 'status');
    if (subresource === 'status' && status && before?.qosClass !== undefined) status.qosClass ??= before.qosClass;
  },
};

/** Seconds a pod has to stop, as it was asked for. */
export function terminationGrace(pod: unknown): number {
  return numberAt(pod, 'spec', 'terminationGracePeriodSeconds') ?? 30;
}
