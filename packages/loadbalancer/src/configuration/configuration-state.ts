import type { Clock } from '@ballast/base';
import type { KubeClient, OwnerReference } from '@ballast/kube';
import {
  CONFIGURATION_STATES,
  type ConfigurationState,
  METALLB_NAMESPACE,
  type StateCondition,
} from '../resources/kinds.ts';
import type { ObjectProblem } from './configuration.ts';

/** The condition types of MetalLB, and one of ours: whether all features that are asked for have an effect. */
export type StateConditionType = 'poolReconcilerValid' | 'configReconcilerValid' | 'featuresSupported';

/** What a component says about the configuration. */
export interface StateReport {
  /** 'controller' or 'speaker-<node>'. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly owners?: readonly OwnerReference[];
  readonly conditions: readonly { readonly type: StateConditionType; readonly problems: readonly string[] }[];
}

/** One line per problem, as people and `errorSummary` read it. */
export function formatProblem(problem: ObjectProblem): string {
  return `${problem.kind} ${problem.object.metadata.name}: ${problem.message}`;
}

/** The status for a report; keeps the times of conditions that did not change. */
export function stateStatus(
  report: StateReport,
  previous: ConfigurationState['status'],
  nowMs: number,
): NonNullable<ConfigurationState['status']> {
  const now = new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
  const conditions = report.conditions.map(({ type, problems }): StateCondition => {
    const valid = problems.length === 0;
    const status = valid ? 'True' : 'False';
    const reason = valid ? 'Reconciled' : type === 'featuresSupported' ? 'NotImplemented' : 'ConfigurationError';
    const old = previous?.conditions?.find((condition) => condition.type === type);
    const lastTransitionTime = old?.status === status ? old.lastTransitionTime : now;
    return { type, status, reason, message: problems.join('\n'), lastTransitionTime };
  });
  const failing = conditions.filter((condition) => condition.status === 'False');
  const invalid = failing.some((condition) => condition.reason === 'ConfigurationError');
  return {
    result: invalid ? 'Invalid' : 'Valid',
    errorSummary: failing.map((condition) => condition.message).join('\n'),
    conditions,
  };
}

/** Writes a report to its ConfigurationState if it says something new; makes the object if it is missing. */
export async function writeState(client: KubeClient, clock: Clock, report: StateReport): Promise<void> {
  const ref = { namespace: METALLB_NAMESPACE, name: report.name };
  const existing =
    (await client.find(CONFIGURATION_STATES, ref)) ??
    (await client.create(CONFIGURATION_STATES, {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'ConfigurationState',
      metadata: { ...ref, labels: { ...report.labels }, ownerReferences: [...(report.owners ?? [])] },
    }));
  const status = stateStatus(report, existing.status, clock.nowMs());
  if (JSON.stringify(status) === JSON.stringify(orderLike(existing.status))) return;
  await client.patch(CONFIGURATION_STATES, ref, { type: 'merge', body: { status } }, { subresource: 'status' });
}

/** The same fields in the order in which stateStatus writes them. */
function orderLike(status: ConfigurationState['status']): unknown {
  if (!status) return undefined;
  return {
    result: status.result,
    errorSummary: status.errorSummary,
    conditions: status.conditions?.map(({ type, status: value, reason, message, lastTransitionTime }) => ({
      type,
      status: value,
      reason,
      message,
      lastTransitionTime,
    })),
  };
}
