import { aborted, type Running, runInBackground } from '@ballast/base';
import { type Informer, type KubeObject, runController, WorkQueue } from '@ballast/kube';
import type { ControllerContext } from './controller.ts';

export interface ReconcilerOptions {
  readonly name: string;
  readonly context: ControllerContext;
  readonly workers: number;
  /** The copies that `reconcile` reads; nothing runs before all of them are complete. */
  readonly needs: readonly Pick<Informer<KubeObject>, 'synced'>[];
  readonly reconcile: (key: string, signal: AbortSignal) => Promise<void>;
}

/** A queue of keys and workers on it. Handlers of informers may add keys at any time; work starts once the copies are complete. */
export function startReconciler(options: ReconcilerOptions): { queue: WorkQueue; running: Running } {
  const { context } = options;
  const queue = new WorkQueue(context.clock);
  const running = runInBackground(async (signal) => {
    await Promise.race([Promise.all(options.needs.map(({ synced }) => synced)), aborted(signal)]);
    if (signal.aborted) return;
    const { name, workers, reconcile } = options;
    await using controller = runController({ name, queue, workers, reconcile, logger: context.logger });
    await Promise.race([controller.done, aborted(signal)]);
  });
  return { queue, running };
}
