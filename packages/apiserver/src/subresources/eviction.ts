import { type LabelSelector, matchesLabelSelector } from '@ballast/kube';
import { storeKey } from '../cache/watch-cache.ts';
import { type ResourceCall, writeContext } from '../endpoints/resource-endpoint.ts';
import { readObject } from '../http/body.ts';
import { objectKey } from '../kernel.ts';
import { type ApiObject, formatTime, isJsonObject, numberAt, objectAt, textAt } from '../object/api-object.ts';
import { failure, internalError, methodNotAllowed, notFound } from '../object/failures.ts';
import { composeStored } from '../object/stored-form.ts';
import { deleteObject, isDryRun, parseDeleteOptions } from '../operations/delete.ts';
import { sendSuccess } from './binding.ts';
import type { SubresourceHandler } from './index.ts';
import { schemaOfSubresource } from './schema-of-subresource.ts';

const BUDGETS = 'poddisruptionbudgets.policy';
/** Times a budget is read anew when its controller writes it in between. */
const ATTEMPTS = 5;

/** A deletion that asks the pod's disruption budget first (policy/v1 Eviction): 429 when it may not go now. */
export const serveEviction: SubresourceHandler = async (call, verb) => {
  if (verb !== 'create') throw methodNotAllowed();
  const { kernel, resource, path, exchange } = call;
  const eviction = await readObject(exchange.request, schemaOfSubresource(call));
  const options = eviction.deleteOptions;
  const dryRun = isDryRun(options, exchange.query);
  const pod = kernel.cache
    .of(resource.storageKey)
    .get(objectKey(resource, path.namespace, path.name))
    ?.parse();
  if (!pod) throw notFound(resource, path.name);
  if (needsBudget(pod)) await spendBudget(call, pod, dryRun);
  await deleteObject(parseDeleteOptions(options, exchange.query), writeContext(call, 'delete', dryRun));
  await sendSuccess(call);
};

/** Pods that do no work any more, or never did, do not count. */
function needsBudget(pod: ApiObject): boolean {
  const phase = textAt(pod, 'status', 'phase');
  return phase !== 'Succeeded' && phase !== 'Failed' && phase !== 'Pending' && !pod.metadata.deletionTimestamp;
}

async function spendBudget({ kernel, path }: ResourceCall, pod: ApiObject, dryRun: boolean): Promise<void> {
  const cache = kernel.cache.of(BUDGETS);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const budgets = [...cache.objects(path.namespace)].filter((budget) =>
      matchesLabelSelector(
        objectAt(budget.parse(), 'spec', 'selector') as LabelSelector | undefined,
        pod.metadata.labels,
      ),
    );
    const [first, second] = budgets;
    if (!first) return;
    if (second)
      throw internalError(
        `This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.`,
      );
    const budget = first.parse();
    const allowed = numberAt(budget, 'status', 'disruptionsAllowed') ?? 0;
    if ((numberAt(budget, 'status', 'observedGeneration') ?? 0) < (budget.metadata.generation ?? 0)) {
      throw tooManyRequests(budget, 'The disruption budget is still being processed by the server.', 10);
    }
    if (allowed <= 0) {
      const needs = numberAt(budget, 'status', 'desiredHealthy') ?? 0;
      const has = numberAt(budget, 'status', 'currentHealthy') ?? 0;
      const why = `The disruption budget ${budget.metadata.name} needs ${needs} healthy pods and has ${has} currently`;
      throw tooManyRequests(budget, why);
    }
    if (dryRun) return;
    const status = objectAt(budget, 'status') ?? {};
    const disrupted = isJsonObject(status.disruptedPods) ? status.disruptedPods : {};
    budget.status = {
      ...status,
      disruptionsAllowed: allowed - 1,
      disruptedPods: { ...disrupted, [pod.metadata.name]: formatTime(kernel.clock.nowMs()) },
    };
    const outcome = await kernel.store.transact([
      {
        type: 'put',
        key: storeKey(BUDGETS, first.key),
        value: composeStored(budget),
        expectedRevision: first.revision,
      },
    ]);
    if (outcome.kind === 'committed') return;
  }
  throw failure('TooManyRequests', 'The disruption budget keeps changing; try again.', { retryAfterSeconds: 1 });
}

function tooManyRequests(budget: ApiObject, why: string, retryAfterSeconds?: number): Error {
  return failure('TooManyRequests', "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: 'DisruptionBudget', message: why, field: '' }],
    name: budget.metadata.name,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });
}
