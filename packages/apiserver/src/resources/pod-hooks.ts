import { listAt, numberAt, objectAt } from '../object/api-object.ts';
import type { SubresourceDefinition, WriteHooks } from './definition.ts';
import { qosClassOf } from './pod-qos.ts';

export const podSubresources: readonly SubresourceDefinition[] = [
  { name: 'attach', kind: 'PodAttachOptions', verbs: ['create', 'get'] },
  { name: 'binding', kind: 'Binding', verbs: ['create'] },
  { name: 'ephemeralcontainers', kind: 'Pod', verbs: ['get', 'patch', 'update'] },
  { name: 'eviction', kind: 'Eviction', group: 'policy', version: 'v1', verbs: ['create'] },
  { name: 'exec', kind: 'PodExecOptions', verbs: ['create', 'get'] },
  { name: 'log', kind: 'Pod', verbs: ['get'] },
  { name: 'portforward', kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
  { name: 'proxy', kind: 'PodProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
];

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
  validate(pod, old) {
    if (old) return [];
    if (listAt(pod, 'spec', 'containers').length > 0) return [];
    return [{ reason: 'FieldValueRequired', message: 'Required value', field: 'spec.containers' }];
  },
};

/** Seconds a pod has to stop, as it was asked for. */
export function terminationGrace(pod: unknown): number {
  return numberAt(pod, 'spec', 'terminationGracePeriodSeconds') ?? 30;
}
