/** The shape that conditions of all kinds share. Times are RFC 3339 in whole seconds. */
export interface ConditionLike {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime?: string;
}

/** Wall-clock time as the API writes it: RFC 3339 in whole seconds. */
export function timeOf(nowMs: number): string {
  return new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
}

/**
 * The conditions with this one set. A condition that has the same status and reason stays as it is; one that only changes its reason
 * keeps its lastTransitionTime.
 */
export function withCondition<C extends ConditionLike>(conditions: readonly C[] | undefined, next: C): C[] {
  const current = conditions?.find(({ type }) => type === next.type);
  if (current && current.status === next.status && current.reason === next.reason) return [...(conditions ?? [])];
  const kept =
    current?.status === next.status && current.lastTransitionTime !== undefined
      ? { ...next, lastTransitionTime: current.lastTransitionTime }
      : next;
  return [...withoutCondition(conditions, next.type), kept];
}

export function withoutCondition<C extends ConditionLike>(conditions: readonly C[] | undefined, type: string): C[] {
  return (conditions ?? []).filter((condition) => condition.type !== type);
}
