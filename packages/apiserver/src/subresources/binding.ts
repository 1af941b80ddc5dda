import { type ResourceCall, writeContext } from '../endpoints/resource-endpoint.ts';
import { readObject } from '../http/body.ts';
import { sendJson } from '../http/respond.ts';
import { formatTime, isJsonObject, listAt, objectAt, setField, textAt } from '../object/api-object.ts';
import { conflict, invalid, methodNotAllowed, notFound } from '../object/failures.ts';
import { requiredValue } from '../object/field-problems.ts';
import { isDryRun } from '../operations/delete.ts';
import { updateObject } from '../operations/update.ts';
import type { SubresourceHandler } from './index.ts';
import { schemaOfSubresource } from './schema-of-subresource.ts';

/** How the scheduler gives a pod its node. Only once: a pod that has one answers 409. */
export const serveBinding: SubresourceHandler = async (call, verb) => {
  if (verb !== 'create') throw methodNotAllowed();
  const { resource, path, exchange, kernel } = call;
  const binding = await readObject(exchange.request, schemaOfSubresource(call));
  const node = textAt(binding, 'target', 'name');
  if (!node) throw invalid({ group: '', kind: 'Binding' }, path.name, [requiredValue('target.name')]);
  const context = writeContext(call, 'update', isDryRun(undefined, exchange.query));
  await updateObject(
    {
      createWhenMissing: false,
      transform: (pod) => {
        if (!pod) throw notFound(resource, path.name);
        const { uid } = binding.metadata;
        if (uid && uid !== pod.metadata.uid)
          throw conflict(resource, path.name, `Precondition failed: UID in precondition: ${uid}`);
        if (pod.metadata.deletionTimestamp)
          throw conflict(resource, path.name, `pod ${path.name} is being deleted, cannot be assigned to a host`);
        const present = textAt(pod, 'spec', 'nodeName');
        if (present)
          throw conflict(
            resource,
            path.name,
            `pod ${path.name} is already assigned to node ${JSON.stringify(present)}`,
          );
        if (listAt(pod, 'spec', 'schedulingGates').length > 0) {
          throw conflict(resource, path.name, `pod ${path.name} has non-empty .spec.schedulingGates`);
        }
        setField(pod, ['spec', 'nodeName'], node);
        pod.metadata.annotations = { ...pod.metadata.annotations, ...binding.metadata.annotations };
        pod.metadata.labels = { ...pod.metadata.labels, ...binding.metadata.labels };
        markScheduled(pod, formatTime(kernel.clock.nowMs()));
        delete pod.metadata.resourceVersion;
        return pod;
      },
    },
    context,
  );
  await sendSuccess(call);
};

function markScheduled(pod: Record<string, unknown>, now: string): void {
  const others = listAt(pod, 'status', 'conditions').filter((one) => isJsonObject(one) && one.type !== 'PodScheduled');
  const status = objectAt(pod, 'status') ?? {};
  pod.status = {
    ...status,
    conditions: [...others, { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: now }],
  };
}

export function sendSuccess({ exchange }: ResourceCall, code = 201): Promise<void> {
  return sendJson(exchange, code, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code });
}
