import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Container, Pod } from '@ballast/kube';
import fc from 'fast-check';
import { type Action, planPod } from './plan.ts';
import type { ContainerView, PodView, SandboxView } from './pod-view.ts';

const sandbox = (over: Partial<SandboxView> = {}): SandboxView => ({
  id: 'sandbox-0',
  attempt: 0,
  ready: true,
  createdAtMs: 1000,
  ips: ['10.42.0.2'],
  ...over,
});

const run = (name: string, over: Partial<ContainerView> = {}): ContainerView => ({
  id: `${name}-${over.attempt ?? 0}`,
  name,
  sandboxId: 'sandbox-0',
  attempt: 0,
  state: 'running',
  createdAtMs: 2000 + (over.attempt ?? 0),
  startedAtMs: 2000,
  finishedAtMs: over.state === 'exited' ? 3000 : 0,
  exitCode: 0,
  reason: '',
  message: '',
  image: 'image',
  imageRef: 'sha256:1',
  resources: '',
  ...over,
});

const container = (name: string, over: Partial<Container> = {}): Container => ({ name, image: 'image', ...over });

function pod(spec: Partial<NonNullable<Pod['spec']>> = {}, over: Partial<Pod> = {}): Pod {
  return {
    metadata: { name: 'p', namespace: 'default', uid: 'u' },
    spec: { containers: [container('main')], ...spec },
    ...over,
  };
}

const calm = { isStarted: () => true, killReason: () => undefined, appliedResources: () => '', notBeforeMs: () => 0 };

function plan(thePod: Pod, view: Partial<PodView>, facts: Partial<typeof calm> = {}) {
  const full = { sandboxes: [], containers: [], ...view };
  return planPod({ pod: thePod, view: full, facts: { ...calm, ...facts }, nowMs: 10_000 });
}

/** Actions in short: 'start main#1', 'create-sandbox 0', 'stop-pod finished'. */
function words(actions: readonly Action[]): string[] {
  return actions.map((action) => {
    if (action.kind === 'stop-pod') return `stop-pod ${action.why}`;
    if (action.kind === 'create-sandbox') return `create-sandbox ${action.attempt}`;
    if (action.kind === 'start') return `start ${action.container.spec.name}#${action.attempt}`;
    return `${action.kind} ${action.run.id}`;
  });
}

const exited = (name: string, exitCode: number, over: Partial<ContainerView> = {}) =>
  run(name, { state: 'exited', exitCode, ...over });
const deleted = (spec: Partial<NonNullable<Pod['spec']>> = {}) => {
  const one = pod(spec);
  one.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
  return one;
};

const inits = {
  initContainers: [container('one'), container('helper', { restartPolicy: 'Always' }), container('two')],
};

describe('planPod', () => {
  const cases: [requirement: string, thePod: Pod, view: Partial<PodView>, expected: string[]][] = [
    ['a new pod gets a sandbox', pod(), {}, ['create-sandbox 0']],
    ['in a sandbox the containers start', pod(), { sandboxes: [sandbox()] }, ['start main#0']],
    ['what runs is left alone', pod(), { sandboxes: [sandbox()], containers: [run('main')] }, []],
    [
      'restartPolicy Always: an ended container is started again',
      pod(),
      { sandboxes: [sandbox()], containers: [exited('main', 0)] },
      ['start main#1'],
    ],
    [
      'restartPolicy OnFailure: success ends the pod',
      pod({ restartPolicy: 'OnFailure' }),
      { sandboxes: [sandbox()], containers: [exited('main', 0)] },
      ['stop-pod finished'],
    ],
    [
      'restartPolicy OnFailure: failure is tried again',
      pod({ restartPolicy: 'OnFailure' }),
      { sandboxes: [sandbox()], containers: [exited('main', 2)] },
      ['start main#1'],
    ],
    [
      'restartPolicy Never: failure ends the pod',
      pod({ restartPolicy: 'Never' }),
      { sandboxes: [sandbox()], containers: [exited('main', 2)] },
      ['stop-pod finished'],
    ],
    [
      'restartPolicyRules: a listed exit code overrides the policy',
      pod({
        restartPolicy: 'Never',
        containers: [
          container('main', {
            restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
          }),
        ],
      }),
      { sandboxes: [sandbox()], containers: [exited('main', 42)] },
      ['start main#1'],
    ],
    [
      'a changed image ends the container',
      pod({ containers: [container('main', { image: 'other' })] }),
      { sandboxes: [sandbox()], containers: [run('main')] },
      ['kill main-0'],
    ],
    [
      'a container that was created but not started is removed and made anew',
      pod(),
      { sandboxes: [sandbox()], containers: [run('main', { state: 'created' })] },
      ['remove main-0', 'start main#0'],
    ],
    ['only the first init container starts', pod(inits), { sandboxes: [sandbox()] }, ['start one#0']],
    [
      'nothing else starts while an init container runs',
      pod(inits),
      { sandboxes: [sandbox()], containers: [run('one')] },
      [],
    ],
    [
      'the sidecar comes after the init containers before it',
      pod(inits),
      { sandboxes: [sandbox()], containers: [exited('one', 0)] },
      ['start helper#0'],
    ],
    [
      'the next init container starts beside a started sidecar',
      pod(inits),
      { sandboxes: [sandbox()], containers: [run('helper'), exited('one', 0)] },
      ['start two#0'],
    ],
    [
      'main containers start when all init containers are through',
      pod(inits),
      { sandboxes: [sandbox()], containers: [exited('two', 0), run('helper'), exited('one', 0)] },
      ['start main#0'],
    ],
    [
      'a failed init container is tried again',
      pod(inits),
      { sandboxes: [sandbox()], containers: [exited('one', 1)] },
      ['start one#1'],
    ],
    [
      'a failed init container ends a pod with restartPolicy Never',
      pod({ ...inits, restartPolicy: 'Never' }),
      { sandboxes: [sandbox()], containers: [exited('one', 1)] },
      ['stop-pod finished'],
    ],
    [
      'a sidecar that died is started again beside running main containers',
      pod(inits),
      { sandboxes: [sandbox()], containers: [run('main'), exited('two', 0), exited('helper', 1), exited('one', 0)] },
      ['start helper#1'],
    ],
    [
      'a sidecar does not keep a finished pod alive',
      pod({ ...inits, restartPolicy: 'Never' }),
      { sandboxes: [sandbox()], containers: [exited('main', 0), exited('two', 0), run('helper'), exited('one', 0)] },
      ['stop-pod finished'],
    ],
    [
      'a lost sandbox is replaced, and what still runs in it is ended first',
      pod(),
      { sandboxes: [sandbox({ ready: false })], containers: [run('main')] },
      ['stop-pod sandbox-changed', 'create-sandbox 1'],
    ],
    [
      'after a reboot init containers run again in the new sandbox, with a higher restart count',
      pod(inits),
      {
        sandboxes: [sandbox({ id: 'sandbox-1', attempt: 1 }), sandbox({ ready: false })],
        containers: [exited('main', 255), exited('two', 0), exited('helper', 255), exited('one', 0)],
      },
      ['start one#1'],
    ],
    [
      'after a reboot the dead sandbox is stopped too: that gives its address back',
      pod(),
      { sandboxes: [sandbox({ ready: false })], containers: [exited('main', 255)] },
      ['stop-pod sandbox-changed', 'create-sandbox 1'],
    ],
    [
      'a finished pod gets no new sandbox',
      pod({ restartPolicy: 'Never' }),
      { sandboxes: [sandbox({ ready: false })], containers: [exited('main', 0)] },
      [],
    ],
    [
      'a deleted pod is stopped',
      deleted(),
      { sandboxes: [sandbox()], containers: [run('main')] },
      ['stop-pod deleted'],
    ],
    [
      'a deleted pod of which nothing runs needs nothing',
      deleted(),
      { sandboxes: [sandbox({ ready: false })], containers: [exited('main', 0)] },
      [],
    ],
    [
      'two runs of a container are kept, older ones removed',
      pod(),
      {
        sandboxes: [sandbox()],
        containers: [
          run('main', { attempt: 3 }),
          exited('main', 1, { attempt: 2 }),
          exited('main', 1, { attempt: 1 }),
          exited('main', 1),
        ],
      },
      ['remove main-1', 'remove main-0'],
    ],
    [
      'an ephemeral container is started once',
      pod({ ephemeralContainers: [container('debug')] }),
      { sandboxes: [sandbox()], containers: [run('main')] },
      ['start debug#0'],
    ],
    [
      'an ephemeral container that ended stays ended',
      pod({ ephemeralContainers: [container('debug')] }),
      { sandboxes: [sandbox()], containers: [exited('debug', 1), run('main')] },
      [],
    ],
  ];
  for (const [requirement, thePod, view, expected] of cases) {
    test(requirement, () => assert.deepEqual(words(plan(thePod, view).actions), expected));
  }

  test('a container in back-off waits, and the plan says until when', () => {
    const view = { sandboxes: [sandbox()], containers: [exited('main', 1)] };
    const result = plan(pod(), view, { notBeforeMs: () => 12_000 });
    assert.deepEqual(result.actions, []);
    assert.deepEqual([...result.backingOff], [['main', 12_000]]);
    assert.equal(result.finished, false);
  });

  test('a failed liveness probe ends the run, which then is started again', () => {
    const view = { sandboxes: [sandbox()], containers: [run('main')] };
    assert.deepEqual(words(plan(pod(), view, { killReason: () => ({ message: 'x' }) as never }).actions), [
      'kill main-0',
    ]);
  });

  test('changed resources are applied to the run, or need a restart if the container says so', () => {
    const view = { sandboxes: [sandbox()], containers: [run('main')] };
    const resources = { limits: { cpu: '1', memory: '64Mi' } };
    const before = { appliedResources: () => '[null,"500m",null,"64Mi"]' };
    assert.deepEqual(words(plan(pod({ containers: [container('main', { resources })] }), view, before).actions), [
      'resize main-0',
    ]);
    const resizePolicy = [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' as const }];
    const picky = pod({ containers: [container('main', { resources, resizePolicy })] });
    assert.deepEqual(words(plan(picky, view, before).actions), ['kill main-0']);
    assert.deepEqual(words(plan(picky, view, { appliedResources: () => '[null,"1",null,"64Mi"]' }).actions), []);
  });

  test('main containers wait for a sidecar that has not started', () => {
    const view = { sandboxes: [sandbox()], containers: [exited('two', 0), run('helper'), exited('one', 0)] };
    assert.deepEqual(words(plan(pod(inits), view, { isStarted: () => false }).actions), []);
  });

  test('whatever the runtime holds: nothing starts outside a ready sandbox, and nothing twice', () => {
    const state = fc.constantFrom('created' as const, 'running' as const, 'exited' as const, 'unknown' as const);
    const anyRun = fc.record({
      name: fc.constantFrom('one', 'helper', 'two', 'main', 'gone'),
      state,
      attempt: fc.nat(3),
      exitCode: fc.constantFrom(0, 1, 137),
      sandboxId: fc.constantFrom('sandbox-0', 'sandbox-1'),
    });
    const policy = fc.constantFrom('Always' as const, 'OnFailure' as const, 'Never' as const);
    const anySandbox = fc.record({
      id: fc.constantFrom('sandbox-0', 'sandbox-1'),
      ready: fc.boolean(),
      attempt: fc.nat(2),
    });
    fc.assert(
      fc.property(
        fc.array(anyRun),
        fc.array(anySandbox, { maxLength: 2 }),
        policy,
        fc.boolean(),
        (runs, boxes, restartPolicy, gone) => {
          const thePod = gone ? deleted({ ...inits, restartPolicy }) : pod({ ...inits, restartPolicy });
          const containers = runs.map(({ name, ...rest }) => run(name, rest));
          const sandboxes = boxes.map((box) => sandbox(box));
          const { actions, finished } = plan(thePod, { sandboxes, containers });
          const starts = actions
            .filter((action) => action.kind === 'start')
            .map((action) => action.container.spec.name);
          assert.equal(new Set(starts).size, starts.length);
          if (starts.length > 0) assert.ok(sandboxes[0]?.ready && !gone);
          if (finished) assert.equal(starts.length, 0);
          for (const name of starts) {
            const latest = containers.find((one) => one.name === name);
            assert.ok(!(latest?.state === 'running' && latest.sandboxId === sandboxes[0]?.id));
          }
        },
      ),
    );
  });
});
