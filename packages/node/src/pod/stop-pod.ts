import { hasCode, messageOf } from '@ballast/base';
import type { Pod } from '@ballast/kube';
import { containerFieldPath, containersOfPod, findContainer, type PodContainer } from './containers-of-pod.ts';
import { runHook } from './lifecycle-hook.ts';
import type { PodContext } from './pod-context.ts';
import { type ContainerView, currentSandbox, type PodView } from './pod-view.ts';
import { addressesFor } from './start-container.ts';

/** A container gets at least this long after its preStop hook has used up the grace period. */
const MIN_AFTER_HOOK_SECONDS = 2;

const runtimeMs = 120_000;

export interface StopContainerOptions {
  readonly context: PodContext;
  readonly pod: Pod;
  readonly view: PodView;
  readonly run: ContainerView;
  readonly graceSeconds: number;
  /** For the event. */
  readonly message?: string;
}

/** Ends one run: preStop hook, SIGTERM, and SIGKILL when the grace period is over. */
export async function stopContainer(options: StopContainerOptions): Promise<void> {
  const { context, pod, view, run, graceSeconds } = options;
  const { cri, clock } = context;
  const container: PodContainer | undefined = findContainer(pod, run.name);
  const fieldPath = container ? { fieldPath: containerFieldPath(container) } : {};
  context.recordEvent(pod, {
    type: 'Normal',
    reason: 'Killing',
    message: options.message ?? `Stopping container ${run.name}`,
    ...fieldPath,
  });
  let restSeconds = graceSeconds;
  const handler = container?.spec.lifecycle?.preStop;
  if (container && handler && graceSeconds > 0) {
    const startMs = clock.monotonicMs();
    const podIp = addressesFor(context, pod, currentSandbox(view))[0] ?? '';
    const hook = runHook({
      cri,
      clock,
      handler,
      containerId: run.id,
      container: container.spec,
      podIp,
      timeoutMs: graceSeconds * 1000,
    });
    await hook.catch((error: unknown) =>
      context.recordEvent(pod, {
        type: 'Warning',
        reason: 'FailedPreStopHook',
        message: `PreStopHook failed: ${messageOf(error)}`,
        ...fieldPath,
      }),
    );
    const usedSeconds = Math.ceil((clock.monotonicMs() - startMs) / 1000);
    restSeconds = Math.max(MIN_AFTER_HOOK_SECONDS, graceSeconds - usedSeconds);
  }
  await stopRun(context, run.id, restSeconds);
}

/** A run that is gone already is as stopped as can be. */
export async function stopRun(context: PodContext, containerId: string, graceSeconds: number): Promise<void> {
  try {
    await context.cri.stopContainer(
      { containerId, timeout: graceSeconds },
      { timeoutMs: graceSeconds * 1000 + runtimeMs },
    );
  } catch (error) {
    if (!hasCode(error, 'cri-not-found')) throw error;
  }
}

/**
 * Ends a pod: its main containers side by side, then its sidecars in reverse order, so that what they serve is there until the last
 * moment, then the sandbox with its network.
 */
export async function stopPod(options: {
  readonly context: PodContext;
  readonly pod: Pod;
  readonly view: PodView;
  readonly graceSeconds: number;
  readonly stopping: (run: ContainerView) => void;
}): Promise<void> {
  const { context, pod, view, graceSeconds } = options;
  const startMs = context.clock.monotonicMs();
  const sidecars = containersOfPod(pod)
    .filter(({ role }) => role === 'sidecar')
    .map(({ spec }) => spec.name);
  const alive = view.containers.filter((run) => run.state === 'running');
  const end = async (run: ContainerView, seconds: number) => {
    options.stopping(run);
    await stopContainer({ context, pod, view, run, graceSeconds: seconds });
  };
  await Promise.all(alive.filter((run) => !sidecars.includes(run.name)).map((run) => end(run, graceSeconds)));
  for (const name of sidecars.toReversed()) {
    const used = Math.floor((context.clock.monotonicMs() - startMs) / 1000);
    const rest = graceSeconds === 0 ? 0 : Math.max(MIN_AFTER_HOOK_SECONDS, graceSeconds - used);
    await Promise.all(alive.filter((run) => run.name === name).map((run) => end(run, rest)));
  }
  for (const sandbox of view.sandboxes) {
    try {
      await context.cri.stopPodSandbox({ podSandboxId: sandbox.id });
    } catch (error) {
      if (!hasCode(error, 'cri-not-found')) throw error;
    }
  }
}

/** Removes what a pod that has ended left in the runtime. */
export async function removeFromRuntime(context: PodContext, view: PodView): Promise<void> {
  const gone = (error: unknown) => {
    if (!hasCode(error, 'cri-not-found')) throw error;
  };
  for (const run of view.containers) await context.cri.removeContainer({ containerId: run.id }).catch(gone);
  for (const sandbox of view.sandboxes) {
    await context.cri.stopPodSandbox({ podSandboxId: sandbox.id }).catch(gone);
    await context.cri.removePodSandbox({ podSandboxId: sandbox.id }).catch(gone);
  }
}
