import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { ControllerRevision, DaemonSet, Node, Pod } from '@ballast/kube';
import { planHistory } from './history.ts';
import { nodeOf, placementOn, specForNode } from './placement.ts';
import { planDaemonSet, REVISION_HASH_LABEL } from './plan.ts';

const NOW = Date.UTC(2026, 0, 1);

function daemonSet(rollingUpdate: object = { maxUnavailable: 1, maxSurge: 0 }): DaemonSet {
  return {
    metadata: { name: 'agent', namespace: 'default', uid: 'd', generation: 1 },
    spec: {
      selector: { matchLabels: { app: 'agent' } },
      template: { metadata: { name: '', labels: { app: 'agent' } }, spec: { containers: [{ name: 'c', image: 'a' }] } },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate },
    },
  };
}

const nodes: Node[] = ['n1', 'n2', 'n3'].map((name) => ({ metadata: { name } }));

function pod(node: string, options: { hash?: string; ready?: boolean; phase?: string; deleted?: boolean } = {}): Pod {
  return {
    metadata: {
      name: `${node}-${options.hash ?? 'new'}`,
      labels: { app: 'agent', [REVISION_HASH_LABEL]: options.hash ?? 'new' },
      creationTimestamp: new Date(NOW).toISOString(),
      ...(options.deleted ? { deletionTimestamp: new Date(NOW).toISOString() } : {}),
    },
    spec: { containers: [], nodeName: node },
    status: {
      phase: (options.phase ?? 'Running') as 'Running',
      conditions: [{ type: 'Ready', status: options.ready === false ? 'False' : 'True' }],
    },
  };
}

function plan(pods: Pod[], options: { set?: DaemonSet; nodes?: Node[] } = {}) {
  const result = planDaemonSet({
    daemonSet: options.set ?? daemonSet(),
    nodes: options.nodes ?? nodes,
    pods,
    hash: 'new',
    nowMs: NOW,
  });
  return { ...result, remove: result.remove.map(({ metadata }) => metadata.name) };
}

suite('planDaemonSet', () => {
  test('a pod for every node without one; a terminating pod is waited for', () => {
    assert.deepEqual(plan([pod('n1'), pod('n2', { deleted: true })]).create, ['n3']);
  });

  test('a node with an untolerated taint NoExecute loses its pod, one with NoSchedule only gets none', () => {
    const tainted = (effect: 'NoExecute' | 'NoSchedule'): Node => ({
      metadata: { name: 'n1' },
      spec: { taints: [{ key: 'team', effect }] },
    });
    assert.deepEqual(plan([pod('n1')], { nodes: [tainted('NoExecute')] }).remove, ['n1-new']);
    assert.deepEqual(plan([pod('n1')], { nodes: [tainted('NoSchedule')] }).remove, []);
    assert.deepEqual(plan([], { nodes: [tainted('NoSchedule')] }).create, []);
  });

  test('daemons tolerate what keeps other pods away', () => {
    for (const key of ['not-ready', 'unreachable']) {
      const node: Node = {
        metadata: { name: 'n1' },
        spec: { taints: [{ key: `node.kubernetes.io/${key}`, effect: 'NoExecute' }] },
      };
      assert.deepEqual(placementOn(daemonSet(), node), { run: true, stay: true });
    }
  });

  test('an update replaces as many at a time as may be unavailable', () => {
    const old = ['n1', 'n2', 'n3'].map((name) => pod(name, { hash: 'old' }));
    assert.deepEqual(plan(old).remove, ['n1-old']);
    assert.deepEqual(plan(old.slice(1)).remove, []);
    assert.equal(plan(old, { set: daemonSet({ maxUnavailable: '67%' }) }).remove.length, 3);
  });

  test('old pods that do not work go first, and at once', () => {
    const pods = [pod('n1', { hash: 'old' }), pod('n2', { hash: 'old', ready: false }), pod('n3')];
    assert.deepEqual(plan(pods).remove, ['n2-old']);
  });

  test('with a surge the new pod comes first, and the old one goes when it is available', () => {
    const set = daemonSet({ maxSurge: 1, maxUnavailable: 0 });
    const old = ['n1', 'n2', 'n3'].map((name) => pod(name, { hash: 'old' }));
    assert.deepEqual(plan(old, { set }).create, ['n1']);
    const coming = [...old, pod('n1', { ready: false })];
    assert.deepEqual([plan(coming, { set }).create, plan(coming, { set }).remove], [[], []]);
    const there = [...old, pod('n1')];
    assert.deepEqual([plan(there, { set }).create, plan(there, { set }).remove], [['n2'], ['n1-old']]);
  });

  test('a finished daemon is removed, and replaced when it has gone', () => {
    const pods = [pod('n1', { phase: 'Failed' }), pod('n2'), pod('n3')];
    assert.deepEqual([plan(pods).remove, plan(pods).create], [['n1-new'], []]);
    assert.deepEqual(plan(pods.slice(1)).create, ['n1']);
  });

  test('the status counts nodes', () => {
    const { status } = plan([pod('n1'), pod('n2', { hash: 'old' }), pod('n3', { ready: false })]);
    assert.equal(status.desiredNumberScheduled, 3);
    assert.equal(status.currentNumberScheduled, 3);
    assert.equal(status.numberReady, 2);
    assert.equal(status.numberAvailable, 2);
    assert.equal(status.updatedNumberScheduled, 2);
    assert.equal(status.numberUnavailable, 1);
  });
});

test('a daemon pod may only run on the node that it is for', () => {
  const spec = specForNode({ containers: [], nodeSelector: { a: 'b' } }, 'n2');
  assert.equal(nodeOf({ metadata: { name: 'p' }, spec }), 'n2');
  assert.deepEqual(spec.nodeSelector, { a: 'b' });
});

suite('planHistory', () => {
  const revisionOf = (set: DaemonSet, revision: number, data?: object): ControllerRevision => {
    const { create } = planHistory(set, [], []);
    if (!create) throw new Error('a first revision is missing');
    const { metadata } = create;
    return {
      ...create,
      metadata: { ...metadata, name: `r${revision}` },
      revision,
      ...(data ? { data: { ...data } } : {}),
    };
  };

  test('the first template is revision 1', () => {
    const { create, hash } = planHistory(daemonSet(), [], []);
    assert.equal(create?.revision, 1);
    assert.equal(create?.metadata.name, `agent-${hash}`);
  });

  test('a template that was there before gets the highest number again', () => {
    const set = daemonSet();
    const known = [revisionOf(set, 1), revisionOf(set, 2, { other: true })];
    const { create, renumber } = planHistory(set, known, []);
    assert.equal(create, undefined);
    assert.equal(renumber?.revision, 3);
  });

  test('old revisions beyond the limit go, unless pods still run them', () => {
    const set = daemonSet();
    if (set.spec) set.spec.revisionHistoryLimit = 1;
    const old = (revision: number): ControllerRevision => {
      const base = revisionOf(set, revision, { revision });
      return { ...base, metadata: { ...base.metadata, labels: { [REVISION_HASH_LABEL]: `h${revision}` } } };
    };
    const known = [old(1), old(2), old(3), revisionOf(set, 4)];
    const { remove } = planHistory(set, known, [pod('n1', { hash: 'h1' })]);
    assert.deepEqual(
      remove.map(({ revision }) => revision),
      [2],
    );
  });
});
