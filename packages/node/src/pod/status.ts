import type { ContainerState, ContainerStatus, Pod, PodCondition, PodStatus } from '@ballast/kube';
import { containersOfPod, type PodContainer } from './containers-of-pod.ts';
import { type ContainerView, currentSandbox, latestByName, type PodView } from './pod-view.ts';
import { qosClassOf } from './quality-of-service.ts';
import { shouldRestart } from './restart.ts';

/** What the status says beyond the pod and the runtime. */
export interface StatusFacts {
  isStarted(containerId: string): boolean;
  /** The readiness probe holds, or there is none. */
  isReady(containerId: string): boolean;
  /** Why a container is not running: ImagePullBackOff, CrashLoopBackOff, CreateContainerConfigError ... */
  waiting(name: string): { readonly reason: string; readonly message?: string | undefined } | undefined;
  /** Last words of a run that ended. */
  terminationMessage(run: ContainerView): string;
}

export interface StatusInput {
  readonly pod: Pod;
  readonly view: PodView;
  readonly facts: StatusFacts;
  readonly nodeIps: readonly string[];
  readonly nowMs: number;
  /** Nothing will run again: the phase becomes a final one. */
  readonly finished: boolean;
  /** The pod was refused or ended by the node: phase Failed with this reason. */
  readonly failure?: { readonly reason: string; readonly message: string } | undefined;
}

/** meta/v1 Time: whole seconds. */
export function timestampOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** The status of a pod as the API is told. Pure. */
export function podStatus(input: StatusInput): PodStatus {
  const { pod, view, nowMs } = input;
  const old = pod.status ?? {};
  const all = containersOfPod(pod);
  const latest = latestByName(view);
  const statuses = new Map(all.map((container) => [container.spec.name, containerStatus(input, container, latest)]));
  const pick = (...roles: string[]) =>
    all.flatMap((container) => {
      const status = statuses.get(container.spec.name);
      return status && roles.includes(container.role) ? [status] : [];
    });
  const phase = settledPhase(input, phaseOf(input, all, statuses));
  const sandbox = currentSandbox(view);
  const ips = addressesOf(input);
  const conditions = conditionsOf(input, all, statuses, phase);
  const init = pick('init', 'sidecar');
  const ephemeral = pick('ephemeral');
  return {
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }),
    phase,
    ...(input.failure ? { reason: input.failure.reason, message: input.failure.message } : reasonOf(old)),
    conditions: mergeConditions(old.conditions ?? [], conditions, nowMs),
    hostIP: input.nodeIps[0] ?? '',
    hostIPs: input.nodeIps.map((ip) => ({ ip })),
    ...(ips.length > 0 && sandbox ? { podIP: ips[0] ?? '', podIPs: ips.map((ip) => ({ ip })) } : keptAddresses(old)),
    startTime: old.startTime ?? timestampOf(nowMs),
    ...(init.length > 0 ? { initContainerStatuses: init } : {}),
    containerStatuses: pick('main'),
    ...(ephemeral.length > 0 ? { ephemeralContainerStatuses: ephemeral } : {}),
    qosClass: old.qosClass ?? qosClassOf(pod),
  };
}

const reasonOf = (old: PodStatus) => ({
  ...(old.reason === undefined ? {} : { reason: old.reason }),
  ...(old.message === undefined ? {} : { message: old.message }),
});

/** The address of a pod that has ended stays known, for logs and events. */
const keptAddresses = (old: PodStatus) => ({
  ...(old.podIP === undefined ? {} : { podIP: old.podIP }),
  ...(old.podIPs === undefined ? {} : { podIPs: old.podIPs }),
});

function addressesOf({ pod, view, nodeIps }: StatusInput): readonly string[] {
  return pod.spec?.hostNetwork ? nodeIps : (currentSandbox(view)?.ips ?? []);
}

function terminated(input: StatusInput, run: ContainerView): NonNullable<ContainerState['terminated']> {
  const message = input.facts.terminationMessage(run) || run.message;
  return {
    exitCode: run.exitCode,
    reason: run.reason || (run.exitCode === 0 ? 'Completed' : 'Error'),
    ...(message === '' ? {} : { message }),
    ...(run.startedAtMs > 0 ? { startedAt: timestampOf(run.startedAtMs) } : {}),
    finishedAt: timestampOf(run.finishedAtMs || run.createdAtMs),
    containerID: `containerd://${run.id}`,
  };
}

function containerStatus(
  input: StatusInput,
  container: PodContainer,
  latest: ReadonlyMap<string, ContainerView>,
): ContainerStatus {
  const { pod, view, facts } = input;
  const { name } = container.spec;
  const run = latest.get(name);
  const before = view.containers.filter((other) => other.name === name && other !== run && other.state === 'exited')[0];
  const waiting = facts.waiting(name);
  const known = pod.status?.[listNameOf(container)]?.find((status) => status.name === name);
  const base = {
    name,
    image: container.spec.image ?? '',
    imageID: run?.imageRef ?? known?.imageID ?? '',
    ...(run ? { containerID: `containerd://${run.id}` } : {}),
    restartCount: run?.attempt ?? known?.restartCount ?? 0,
    ...(container.spec.resources === undefined ? {} : { resources: container.spec.resources }),
    ...(container.spec.resources?.requests === undefined
      ? {}
      : { allocatedResources: container.spec.resources.requests }),
  };
  const lastState = before ? { terminated: terminated(input, before) } : {};
  if (run?.state === 'running') {
    const started = facts.isStarted(run.id);
    return {
      ...base,
      state: { running: { startedAt: timestampOf(run.startedAtMs) } },
      lastState,
      started: container.role === 'init' ? false : started,
      ready: container.role !== 'init' && started && facts.isReady(run.id),
    };
  }
  if (run?.state === 'exited') {
    const state = terminated(input, run);
    const restarts = !input.finished && restartsAfter(pod, container, run);
    if (waiting && restarts) {
      return {
        ...base,
        state: { waiting: { ...waiting } },
        lastState: { terminated: state },
        started: false,
        ready: false,
      };
    }
    const ready = container.role === 'init' && run.exitCode === 0;
    return { ...base, state: { terminated: state }, lastState, started: false, ready };
  }
  const why = waiting ?? { reason: hasPendingInit(input, container, latest) ? 'PodInitializing' : 'ContainerCreating' };
  // A container that ran in an earlier life of the pod and has been removed since is still known to the API.
  const lost = known?.state?.terminated ?? known?.lastState?.terminated;
  return {
    ...base,
    state: { waiting: { ...why } },
    lastState: before ? lastState : lost ? { terminated: lost } : {},
    started: false,
    ready: false,
  };
}

function restartsAfter(pod: Pod, { role, spec }: PodContainer, run: ContainerView): boolean {
  if (role === 'sidecar') return true;
  if (role === 'init' && run.exitCode === 0) return false;
  return role !== 'ephemeral' && shouldRestart(pod, spec, run.exitCode);
}

const listNameOf = ({ role }: PodContainer) =>
  role === 'main' ? 'containerStatuses' : role === 'ephemeral' ? 'ephemeralContainerStatuses' : 'initContainerStatuses';

/** True when the container waits for init containers before it. */
function hasPendingInit(
  { pod }: StatusInput,
  container: PodContainer,
  latest: ReadonlyMap<string, ContainerView>,
): boolean {
  if (container.role !== 'main')
    return container.role !== 'ephemeral' && pod.spec?.initContainers?.[0] !== container.spec;
  return containersOfPod(pod).some(({ role, spec }) => {
    const run = latest.get(spec.name);
    return (role === 'init' && !(run?.state === 'exited' && run.exitCode === 0)) || (role === 'sidecar' && !run);
  });
}

type Phase = NonNullable<PodStatus['phase']>;

/** A final phase means that nothing runs any more; sidecars may need a moment after the last main container. */
function settledPhase({ pod, view }: StatusInput, phase: Phase): Phase {
  const isFinal = phase === 'Succeeded' || phase === 'Failed';
  if (!isFinal || pod.status?.phase === phase || !view.containers.some((run) => run.state === 'running')) return phase;
  return pod.status?.phase ?? 'Running';
}

function phaseOf(
  input: StatusInput,
  all: readonly PodContainer[],
  statuses: ReadonlyMap<string, ContainerStatus>,
): Phase {
  const { pod } = input;
  const old = pod.status?.phase;
  if (input.failure) return 'Failed';
  if (old === 'Succeeded' || old === 'Failed') return old;
  const policy = pod.spec?.restartPolicy ?? 'Always';
  let [waiting, running, stopped, succeeded, initPending, initFailed] = [0, 0, 0, 0, 0, 0];
  for (const { spec, role } of all) {
    const status = statuses.get(spec.name);
    if (!status) continue;
    const { state = {}, lastState } = status;
    if (role === 'init') {
      const ended = state.terminated ?? lastState?.terminated;
      if (state.terminated?.exitCode === 0) continue;
      if (ended && ended.exitCode !== 0 && policy === 'Never') initFailed += 1;
      else initPending += 1;
    } else if (role === 'sidecar') {
      if (state.running ? !status.started : !state.terminated && !lastState?.terminated) initPending += 1;
    } else if (role === 'main') {
      if (state.running) running += 1;
      else if (state.terminated) {
        stopped += 1;
        if (state.terminated.exitCode === 0) succeeded += 1;
      } else if (lastState?.terminated) stopped += 1;
      else waiting += 1;
    }
  }
  if (initFailed > 0) return 'Failed';
  if (input.finished) {
    // Deleted pods end in a final phase whatever their restart policy; without any run there is nothing that could have succeeded.
    if (running > 0) return 'Running';
    return stopped > 0 && stopped === succeeded && waiting === 0 ? 'Succeeded' : 'Failed';
  }
  if (initPending > 0 && running === 0) return 'Pending';
  if (waiting > 0) return 'Pending';
  if (running > 0) return 'Running';
  if (stopped > 0) {
    if (policy === 'Always') return 'Running';
    if (stopped === succeeded) return 'Succeeded';
    return policy === 'Never' ? 'Failed' : 'Running';
  }
  return 'Pending';
}

interface Verdict {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason?: string;
  readonly message?: string;
}

function conditionsOf(
  input: StatusInput,
  all: readonly PodContainer[],
  statuses: ReadonlyMap<string, ContainerStatus>,
  phase: Phase,
): Verdict[] {
  const { pod, view } = input;
  const sandbox = currentSandbox(view);
  const hasAddress = sandbox !== undefined && (pod.spec?.hostNetwork === true || sandbox.ips.length > 0);
  const scheduled: Verdict = { type: 'PodScheduled', status: 'True' };
  const canStart: Verdict = { type: 'PodReadyToStartContainers', status: hasAddress ? 'True' : 'False' };
  const names = (roles: string[], isBad: (status: ContainerStatus) => boolean) =>
    all.flatMap(({ spec, role }) => {
      const status = statuses.get(spec.name);
      return roles.includes(role) && (!status || isBad(status)) ? [spec.name] : [];
    });
  const incomplete = all.flatMap(({ spec, role }) => {
    const status = statuses.get(spec.name);
    if (role === 'init') return status?.ready ? [] : [spec.name];
    return role === 'sidecar' && !status?.started && phase === 'Pending' ? [spec.name] : [];
  });
  const mainsRan = all.some(({ spec, role }) => role === 'main' && statuses.get(spec.name)?.containerID !== undefined);
  const initialized: Verdict =
    incomplete.length === 0 || mainsRan
      ? { type: 'Initialized', status: 'True' }
      : {
          type: 'Initialized',
          status: 'False',
          reason: 'ContainersNotInitialized',
          message: `containers with incomplete status: [${incomplete.join(' ')}]`,
        };
  if (phase === 'Succeeded' || phase === 'Failed') {
    const reason = phase === 'Succeeded' ? 'PodCompleted' : 'PodFailed';
    const done = { status: 'False', reason } as const;
    return [
      scheduled,
      canStart,
      phase === 'Succeeded' ? { ...initialized, status: 'True', reason } : initialized,
      { type: 'ContainersReady', ...done },
      { type: 'Ready', ...done },
    ];
  }
  const unready = names(['main', 'sidecar'], (status) => !status.ready);
  const notReady = {
    status: 'False',
    reason: 'ContainersNotReady',
    message: `containers with unready status: [${unready.join(' ')}]`,
  } as const;
  const containersReady: Verdict =
    unready.length === 0 ? { type: 'ContainersReady', status: 'True' } : { type: 'ContainersReady', ...notReady };
  return [scheduled, canStart, initialized, containersReady, readyVerdict(pod, { ...containersReady, type: 'Ready' })];
}

function readyVerdict(pod: Pod, containersReady: Verdict): Verdict {
  if (containersReady.status === 'False') return containersReady;
  for (const gate of pod.spec?.readinessGates ?? []) {
    const type = gate.conditionType;
    const condition = pod.status?.conditions?.find((candidate) => candidate.type === type);
    if (condition?.status === 'True') continue;
    const message = condition
      ? `the status of pod readiness gate "${type}" is not "True", but ${condition.status}`
      : `corresponding condition of pod readiness gate "${type}" does not exist.`;
    return { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', message };
  }
  return containersReady;
}

/** Ours replace those of the same type and keep the time of the last change; conditions of others stay as they are. */
function mergeConditions(old: readonly PodCondition[], ours: readonly Verdict[], nowMs: number): PodCondition[] {
  const types = new Set(ours.map((verdict) => verdict.type));
  const merged = ours.map((verdict): PodCondition => {
    const before = old.find((condition) => condition.type === verdict.type);
    const unchanged = before?.status === verdict.status && before.lastTransitionTime !== undefined;
    return {
      ...verdict,
      lastTransitionTime: (unchanged ? before.lastTransitionTime : undefined) ?? timestampOf(nowMs),
    };
  });
  return [...merged, ...old.filter((condition) => !types.has(condition.type))];
}
