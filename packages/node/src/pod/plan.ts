import type { Pod } from '@ballast/kube';
import { resizeNeedsRestart, resourcesText } from './cgroup-resources.ts';
import { containersOfPod, type PodContainer } from './containers-of-pod.ts';
import { type ContainerView, currentSandbox, latestByName, type PodView } from './pod-view.ts';
import { shouldRestart } from './restart.ts';

/** Knowledge about the containers that neither the pod nor the runtime has. Asked with the id of a run. */
export interface ContainerFacts {
  /** The postStart hook and the startup probe are through. */
  isStarted(containerId: string): boolean;
  /** Why this run has to be ended (failed liveness probe ...), or undefined. */
  killReason(containerId: string): KillReason | undefined;
  /** The resources that a run has now, see resourcesText; empty when unknown. */
  appliedResources(run: ContainerView): string;
  /** Wall-clock ms before which the container must not be started (again, after run `last`); 0 for now. */
  notBeforeMs(name: string, last: ContainerView | undefined): number;
}

export interface KillReason {
  readonly message: string;
  /** Overrides the grace period of the pod. */
  readonly graceSeconds?: number | undefined;
}

export type Action =
  /** End everything that runs and stop all sandboxes: the pod is done, or its sandbox is lost. */
  | { readonly kind: 'stop-pod'; readonly why: 'deleted' | 'finished' | 'sandbox-changed' }
  | { readonly kind: 'create-sandbox'; readonly attempt: number }
  | {
      readonly kind: 'kill';
      readonly container: PodContainer;
      readonly run: ContainerView;
      readonly reason: KillReason;
    }
  | {
      readonly kind: 'start';
      readonly container: PodContainer;
      readonly attempt: number;
      readonly last: ContainerView | undefined;
    }
  /** The pod has been given other resources: the run is to have them without a restart. */
  | { readonly kind: 'resize'; readonly container: PodContainer; readonly run: ContainerView }
  /** An earlier run of which nobody needs anything. */
  | { readonly kind: 'remove'; readonly run: ContainerView };

export interface Plan {
  readonly actions: readonly Action[];
  /** Containers that wait for their restart delay, with the time (wall-clock ms) when it is over. */
  readonly backingOff: ReadonlyMap<string, number>;
  /** Set once nothing will ever run again. */
  readonly finished: boolean;
}

export interface PlanInput {
  readonly pod: Pod;
  readonly view: PodView;
  readonly facts: ContainerFacts;
  readonly nowMs: number;
  /** Set when the pod must end for a reason that is not in the object: refused, evicted, past its deadline. */
  readonly mustEnd?: boolean;
}

const nothingRuns = (view: PodView) => !view.sandboxes.some((s) => s.ready) && !view.containers.some(isAlive);
const isAlive = (run: ContainerView) => run.state === 'running';

/** What has to be done now for the pod to become what it should be. Pure; called again after the actions were carried out. */
export function planPod(input: PlanInput): Plan {
  const { pod, view } = input;
  const none = { backingOff: new Map<string, number>() };
  if (pod.metadata.deletionTimestamp !== undefined || input.mustEnd) {
    const actions: Action[] = nothingRuns(view) ? [] : [{ kind: 'stop-pod', why: 'deleted' }];
    return { ...none, actions, finished: true };
  }
  if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') {
    const actions: Action[] = nothingRuns(view) ? [] : [{ kind: 'stop-pod', why: 'finished' }];
    return { ...none, actions, finished: true };
  }
  const sandbox = currentSandbox(view);
  if (!sandbox) return planWithoutSandbox(input);
  return planInSandbox(input, sandbox.id);
}

/** There is no usable sandbox: a new pod, a node that was rebooted, or a pod whose containers have all ended. */
function planWithoutSandbox({ pod, view }: PlanInput): Plan {
  const latest = latestByName(view);
  const attempt = (view.sandboxes[0]?.attempt ?? -1) + 1;
  const mains = containersOfPod(pod).filter(({ role }) => role === 'main');
  const wanted = mains.some(({ spec }) => {
    const last = latest.get(spec.name);
    return last?.state !== 'exited' || shouldRestart(pod, spec, last.exitCode);
  });
  const backingOff = new Map<string, number>();
  const failedForGood = attempt > 0 && initFailedForGood(pod, latest);
  if (!wanted || failedForGood) {
    const alive = view.containers.some(isAlive);
    return { actions: alive ? [{ kind: 'stop-pod', why: 'finished' }] : [], backingOff, finished: true };
  }
  const actions: Action[] = [];
  // Also for a sandbox that is dead already (the node was rebooted): only stopping it gives its address back.
  if (view.containers.some(isAlive) || view.sandboxes.length > 0) {
    actions.push({ kind: 'stop-pod', why: 'sandbox-changed' });
  }
  actions.push({ kind: 'create-sandbox', attempt });
  return { actions, backingOff, finished: false };
}

function initFailedForGood(pod: Pod, latest: ReadonlyMap<string, ContainerView>): boolean {
  return containersOfPod(pod).some(({ spec, role }) => {
    const last = latest.get(spec.name);
    return (
      role === 'init' && last?.state === 'exited' && last.exitCode !== 0 && !shouldRestart(pod, spec, last.exitCode)
    );
  });
}

function planInSandbox(input: PlanInput, sandboxId: string): Plan {
  const { pod, view, facts, nowMs } = input;
  const latest = latestByName(view);
  const actions: Action[] = [];
  const backingOff = new Map<string, number>();
  const all = containersOfPod(pod);
  let busy = false;

  /** Starts a container now, or notes that it waits for its delay. */
  const start = (container: PodContainer, last: ContainerView | undefined) => {
    busy = true;
    const notBefore = facts.notBeforeMs(container.spec.name, last);
    if (notBefore > nowMs) backingOff.set(container.spec.name, notBefore);
    else actions.push({ kind: 'start', container, attempt: nextAttempt(last), last });
  };
  /** The run that counts: of init containers only those in this sandbox, since a new sandbox starts from the beginning. */
  const runOf = ({ spec, role }: PodContainer): ContainerView | undefined => {
    const last = latest.get(spec.name);
    return last && (role === 'main' || last.sandboxId === sandboxId) ? last : undefined;
  };
  const isRunningHere = (run: ContainerView | undefined) => run?.sandboxId === sandboxId && isAlive(run);
  const isResized = ({ spec }: PodContainer, run: ContainerView): boolean => {
    const applied = facts.appliedResources(run);
    return applied !== '' && applied !== resourcesText(spec);
  };
  const resizeRestart = (container: PodContainer, run: ContainerView): KillReason | undefined => {
    if (!isResized(container, run) || !resizeNeedsRestart(container.spec, facts.appliedResources(run)))
      return undefined;
    return { message: `Container ${container.spec.name} resize requires restart` };
  };
  /** A run that was created but not started is left over from an interrupted start. */
  const dropLeftOver = (run: ContainerView | undefined) => {
    if (run?.state === 'created' || run?.state === 'unknown') actions.push({ kind: 'remove', run });
  };

  /** Keeps a long-running container running. True when it runs and need not be touched. */
  const keep = (container: PodContainer): boolean => {
    const run = runOf(container);
    if (run && isRunningHere(run)) {
      busy = true;
      const reason = facts.killReason(run.id) ?? imageChanged(container, run) ?? resizeRestart(container, run);
      if (reason) actions.push({ kind: 'kill', container, run, reason });
      else if (isResized(container, run)) actions.push({ kind: 'resize', container, run });
      return !reason;
    }
    dropLeftOver(run);
    const ended = run?.state === 'exited' ? run : undefined;
    if (!ended || container.role === 'sidecar' || shouldRestart(pod, container.spec, ended.exitCode)) {
      start(container, latest.get(container.spec.name));
    }
    return false;
  };

  let initialized = true;
  for (const container of all) {
    if (container.role === 'init') {
      if (!initialized) break;
      const run = runOf(container);
      if (mainsHaveStarted(all, latest, sandboxId)) continue;
      if (run?.state === 'exited' && run.exitCode === 0) continue;
      initialized = false;
      if (isRunningHere(run)) busy = true;
      else if (run?.state === 'exited' && !shouldRestart(pod, container.spec, run.exitCode)) {
        return { actions: [{ kind: 'stop-pod', why: 'finished' }], backingOff, finished: true };
      } else {
        dropLeftOver(run);
        start(container, latest.get(container.spec.name));
      }
    } else if (container.role === 'sidecar') {
      if (!initialized) break;
      const run = runOf(container);
      const kept = keep(container);
      if (!kept || !run || !facts.isStarted(run.id)) initialized = mainsHaveStarted(all, latest, sandboxId);
    }
  }
  for (const container of all) {
    if (container.role === 'ephemeral' && !latest.has(container.spec.name)) start(container, undefined);
  }
  const sidecarActions = actions.length;
  let mainsBusy = false;
  if (initialized) {
    busy = false;
    for (const container of all) if (container.role === 'main') keep(container);
    mainsBusy = busy;
    if (!mainsBusy) {
      // Every main container has ended for good: sidecars must not keep the pod alive.
      actions.splice(0, sidecarActions);
      return { actions: [{ kind: 'stop-pod', why: 'finished' }], backingOff, finished: true };
    }
  }
  actions.push(...garbage(view, latest));
  return { actions, backingOff, finished: false };
}

/** A run that never started is not a restart: its number is used again. */
const nextAttempt = (last: ContainerView | undefined): number =>
  last === undefined ? 0 : last.state === 'created' ? last.attempt : last.attempt + 1;

/** Once a main container ran in this sandbox, initialization is over even if its containers have been removed since. */
function mainsHaveStarted(
  all: readonly PodContainer[],
  latest: ReadonlyMap<string, ContainerView>,
  sandboxId: string,
): boolean {
  return all.some(({ role, spec }) => role === 'main' && latest.get(spec.name)?.sandboxId === sandboxId);
}

function imageChanged({ spec }: PodContainer, run: ContainerView): KillReason | undefined {
  if (spec.image === undefined || run.image === '' || spec.image === run.image) return undefined;
  return { message: `Container ${spec.name} definition changed, will be restarted` };
}

/** Of each container the last two runs are kept: the current one and, for `logs --previous`, the one before. */
function garbage(view: PodView, latest: ReadonlyMap<string, ContainerView>): Action[] {
  const kept = new Map<string, number>();
  const actions: Action[] = [];
  for (const run of view.containers) {
    const count = (kept.get(run.name) ?? 0) + 1;
    kept.set(run.name, count);
    if (count > 2 && run.state === 'exited' && latest.get(run.name) !== run) actions.push({ kind: 'remove', run });
  }
  return actions;
}
