import type { ApiObject } from '../object/api-object.ts';
import type { WriteContext } from '../operations/write-context.ts';
import { defaultTolerationSeconds } from './default-toleration-seconds.ts';
import { namespaceLifecycle, protectSystemNamespaces } from './namespace-lifecycle.ts';
import { podPriority } from './pod-priority.ts';
import { serviceAccount } from './service-account.ts';
import type { AdmissionStep } from './step.ts';

/** All steps, in order. Adding one is a file and a line. */
const STEPS: readonly AdmissionStep[] = [namespaceLifecycle, serviceAccount, podPriority, defaultTolerationSeconds];

export async function admit(object: ApiObject, old: ApiObject | undefined, context: WriteContext): Promise<void> {
  for (const step of STEPS) {
    if (!step.handles(context)) continue;
    const admission = step.admit(object, old, context);
    if (admission) await admission;
  }
}

/** What must not be deleted is refused here. */
export function admitDelete(object: ApiObject, context: WriteContext): void {
  protectSystemNamespaces(object, context);
}
