import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Pod, PodStatus } from '@ballast/kube';
import type { ContainerView, PodView } from './pod-view.ts';
import { podStatus, type StatusFacts } from './status.ts';

const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

const run = (name: string, over: Partial<ContainerView> = {}): ContainerView => ({
  id: `${name}-id`,
  name,
  sandboxId: 's',
  attempt: 0,
  state: 'running',
  createdAtMs: NOW - 5000,
  startedAtMs: NOW - 4000,
  finishedAtMs: over.state === 'exited' ? NOW - 1000 : 0,
  exitCode: 0,
  reason: '',
  message: '',
  image: 'image',
  imageRef: 'sha256:1',
  resources: '',
  ...over,
});

const ready = { id: 's', attempt: 0, ready: true, createdAtMs: 0, ips: ['10.42.0.2'] };

function status(
  pod: Partial<Pod>,
  view: Partial<PodView>,
  facts: Partial<StatusFacts> = {},
  more: { finished?: boolean; failure?: { reason: string; message: string } } = {},
): PodStatus {
  return podStatus({
    pod: {
      metadata: { name: 'p', namespace: 'default' },
      spec: { containers: [{ name: 'main', image: 'image' }] },
      ...pod,
    },
    view: { sandboxes: [ready], containers: [], ...view },
    facts: {
      isStarted: () => true,
      isReady: () => true,
      waiting: () => undefined,
      terminationMessage: () => '',
      ...facts,
    },
    nodeIps: ['192.0.2.11'],
    nowMs: NOW,
    finished: false,
    ...more,
  });
}

const conditions = (of: PodStatus) =>
  Object.fromEntries(
    (of.conditions ?? []).map(({ type, status: value, reason }) => [type, reason ? `${value} ${reason}` : value]),
  );

describe('podStatus', () => {
  test('a running, ready pod', () => {
    const result = status({}, { containers: [run('main')] });
    assert.equal(result.phase, 'Running');
    assert.equal(result.podIP, '10.42.0.2');
    assert.deepEqual(conditions(result), {
      PodScheduled: 'True',
      PodReadyToStartContainers: 'True',
      Initialized: 'True',
      ContainersReady: 'True',
      Ready: 'True',
    });
    assert.deepEqual(result.containerStatuses?.[0]?.state, { running: { startedAt: '2026-01-02T03:04:01Z' } });
  });

  test('before anything runs: Pending, ContainerCreating', () => {
    const result = status({}, { sandboxes: [] });
    assert.equal(result.phase, 'Pending');
    assert.deepEqual(result.containerStatuses?.[0]?.state, { waiting: { reason: 'ContainerCreating' } });
    assert.equal(conditions(result).Ready, 'False ContainersNotReady');
    assert.equal(conditions(result).PodReadyToStartContainers, 'False');
  });

  test('while init containers run: Pending, not Initialized, PodInitializing', () => {
    const spec = { initContainers: [{ name: 'init' }], containers: [{ name: 'main' }] };
    const result = status({ spec }, { containers: [run('init')] });
    assert.equal(result.phase, 'Pending');
    assert.equal(conditions(result).Initialized, 'False ContainersNotInitialized');
    assert.deepEqual(result.containerStatuses?.[0]?.state, { waiting: { reason: 'PodInitializing' } });
  });

  test('an unready container makes the pod unready, and is named', () => {
    const result = status({}, { containers: [run('main')] }, { isReady: () => false });
    const condition = result.conditions?.find(({ type }) => type === 'Ready');
    assert.equal(condition?.message, 'containers with unready status: [main]');
    assert.equal(result.phase, 'Running');
  });

  test('CrashLoopBackOff: waiting now, the end of the run as last state, phase Running', () => {
    const containers = [run('main', { state: 'exited', exitCode: 3, attempt: 4 })];
    const waiting = () => ({ reason: 'CrashLoopBackOff', message: 'back-off' });
    const result = status({}, { containers }, { waiting });
    const [one] = result.containerStatuses ?? [];
    assert.equal(one?.state?.waiting?.reason, 'CrashLoopBackOff');
    assert.equal(one?.lastState?.terminated?.exitCode, 3);
    assert.equal(one?.restartCount, 4);
    assert.equal(result.phase, 'Running');
  });

  const never = { restartPolicy: 'Never' as const, containers: [{ name: 'main' }] };
  test('restartPolicy Never: Succeeded or Failed by exit code', () => {
    const ended = (exitCode: number) =>
      status({ spec: never }, { containers: [run('main', { state: 'exited', exitCode })] });
    assert.equal(ended(0).phase, 'Succeeded');
    assert.equal(conditions(ended(0)).Ready, 'False PodCompleted');
    assert.equal(ended(1).phase, 'Failed');
    assert.equal(conditions(ended(1)).Ready, 'False PodFailed');
  });

  test('no final phase while a container still runs', () => {
    const spec = { ...never, initContainers: [{ name: 'side', restartPolicy: 'Always' as const }] };
    const result = status({ spec }, { containers: [run('main', { state: 'exited' }), run('side')] });
    assert.equal(result.phase, 'Running');
  });

  test('a deleted pod ends in a final phase whatever its restart policy', () => {
    const ended = (exitCode: number) =>
      status({}, { sandboxes: [], containers: [run('main', { state: 'exited', exitCode })] }, {}, { finished: true });
    assert.equal(ended(0).phase, 'Succeeded');
    assert.equal(ended(143).phase, 'Failed');
  });

  test('a refused pod is Failed with the reason', () => {
    const failure = { reason: 'OutOfcpu', message: 'no' };
    const result = status({}, { sandboxes: [] }, {}, { failure, finished: true });
    assert.deepEqual([result.phase, result.reason, result.message], ['Failed', 'OutOfcpu', 'no']);
  });

  test('conditions keep the time of their last change, and those of others stay', () => {
    const old: PodStatus = {
      conditions: [
        { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' },
        { type: 'ContainersReady', status: 'False', lastTransitionTime: '2026-01-01T00:00:00Z' },
        { type: 'example.com/gate', status: 'False' },
      ],
    };
    const result = status({ status: old }, { containers: [run('main')] });
    const times = Object.fromEntries((result.conditions ?? []).map((c) => [c.type, c.lastTransitionTime]));
    assert.equal(times.Ready, '2026-01-01T00:00:00Z');
    assert.equal(times.ContainersReady, '2026-01-02T03:04:05Z');
    assert.ok(result.conditions?.some(({ type }) => type === 'example.com/gate'));
  });

  test('readiness gates: the pod is ready when all of them say so', () => {
    const spec = { containers: [{ name: 'main' }], readinessGates: [{ conditionType: 'example.com/gate' }] };
    const without = status({ spec }, { containers: [run('main')] });
    assert.equal(conditions(without).Ready, 'False ReadinessGatesNotReady');
    assert.equal(conditions(without).ContainersReady, 'True');
    const gate: PodStatus = { conditions: [{ type: 'example.com/gate', status: 'True' }] };
    assert.equal(conditions(status({ spec, status: gate }, { containers: [run('main')] })).Ready, 'True');
  });

  test('a pod in the network of the node has its addresses', () => {
    const spec = { hostNetwork: true, containers: [{ name: 'main' }] };
    const result = status({ spec }, { sandboxes: [{ ...ready, ips: [] }], containers: [run('main')] });
    assert.deepEqual(result.podIPs, [{ ip: '192.0.2.11' }]);
  });
});
