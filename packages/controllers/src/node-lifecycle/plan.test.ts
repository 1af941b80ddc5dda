import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Node, Taint } from '@ballast/kube';
import { EvictionBudget } from './eviction-budget.ts';
import { NodeHealth } from './health.ts';
import { planNodes } from './plan.ts';

const GRACE = 10_000;
const NOW = Date.UTC(2026, 0, 1);

function node(name: string, options: { ready?: string; taints?: Taint[]; cordoned?: boolean } = {}): Node {
  return {
    metadata: { name },
    spec: { taints: options.taints ?? [], ...(options.cordoned ? { unschedulable: true } : {}) },
    status: { conditions: [{ type: 'Ready', status: (options.ready ?? 'True') as 'True' }] },
  };
}

function plan(nodes: readonly Node[], silent: readonly string[], mayEvict = () => true) {
  return planNodes({
    nodes,
    silentMs: (name) => (silent.includes(name) ? GRACE + 1 : 0),
    gracePeriodMs: GRACE,
    nowMs: NOW,
    mayEvict,
  });
}

const taintTexts = (taints: readonly Taint[] | undefined) =>
  taints?.map(({ key, effect }) => `${key.replace('node.kubernetes.io/', '')}:${effect}`).sort();

suite('planNodes', () => {
  test('a silent node becomes Unknown, tainted, and loses its pods', () => {
    const [change, ...others] = plan([node('a'), node('b')], ['a']);
    assert.equal(others.length, 0);
    assert.equal(change?.node.metadata.name, 'a');
    assert.equal(change?.conditions?.find(({ type }) => type === 'Ready')?.status, 'Unknown');
    assert.equal(change?.conditions?.length, 4);
    assert.deepEqual(taintTexts(change?.taints), ['unreachable:NoExecute', 'unreachable:NoSchedule']);
    assert.equal(change?.losesPods, 'always');
  });

  test('when no node is heard of any more, nothing is evicted and no pod leaves its Service', () => {
    for (const change of plan([node('a'), node('b')], ['a', 'b'])) {
      assert.deepEqual(taintTexts(change.taints), ['unreachable:NoSchedule']);
      assert.equal(change.losesPods, 'no');
    }
  });

  test('the brake also takes back evictions that have begun', () => {
    const taints: Taint[] = [{ key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' }];
    const [change] = plan([node('a', { ready: 'Unknown', taints }), node('b')], ['a', 'b']);
    assert.deepEqual(taintTexts(change?.taints), ['unreachable:NoSchedule']);
  });

  test('a node that is back loses its taints; foreign ones stay', () => {
    const taints: Taint[] = [
      { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' },
      { key: 'node.kubernetes.io/unreachable', effect: 'NoSchedule' },
      { key: 'team', value: 'a', effect: 'NoSchedule' },
    ];
    const [change] = plan([node('a', { taints })], []);
    assert.deepEqual(taintTexts(change?.taints), ['team:NoSchedule']);
  });

  test('a node that says it is not ready is tainted not-ready, and its pods are marked once', () => {
    const [change] = plan([node('a', { ready: 'False' }), node('b')], []);
    assert.deepEqual(taintTexts(change?.taints), ['not-ready:NoExecute', 'not-ready:NoSchedule']);
    assert.equal(change?.losesPods, 'once');
    assert.equal(change?.conditions, undefined);
  });

  test('without a budget the node is not evicted yet', () => {
    const [change] = plan([node('a'), node('b')], ['a'], () => false);
    assert.deepEqual(taintTexts(change?.taints), ['unreachable:NoSchedule']);
  });

  test('a cordoned node is tainted unschedulable', () => {
    const [change] = plan([node('a', { cordoned: true })], []);
    assert.deepEqual(taintTexts(change?.taints), ['unschedulable:NoSchedule']);
  });

  test('when the reason changes, the time since which pods have tolerated it stays', () => {
    const timeAdded = '2025-12-31T23:00:00Z';
    const taints: Taint[] = [{ key: 'node.kubernetes.io/not-ready', effect: 'NoExecute', timeAdded }];
    const [change] = plan([node('a', { ready: 'False', taints }), node('b')], ['a']);
    const evicting = change?.taints?.find(({ effect }) => effect === 'NoExecute');
    assert.deepEqual(evicting, { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute', timeAdded });
  });

  test('healthy nodes need nothing', () => {
    assert.deepEqual(plan([node('a'), node('b')], []), []);
  });
});

suite('NodeHealth', () => {
  test('a node is silent since its lease last changed, whatever its clock says', () => {
    const health = new NodeHealth();
    health.observe('a', '2026-01-01T00:00:00Z', 0);
    health.observe('a', '1999-01-01T00:00:00Z', 5000);
    health.observe('a', '1999-01-01T00:00:00Z', 9000);
    assert.equal(health.silentMs('a', 9000), 4000);
  });

  test('after a time in which nobody could be heard every node starts anew', () => {
    const health = new NodeHealth();
    health.observe('a', 'x', 0);
    health.forgive(60_000);
    assert.equal(health.silentMs('a', 61_000), 1000);
  });

  test('an unknown node is not silent', () => {
    assert.equal(new NodeHealth().silentMs('a', 5000), 0);
  });
});

suite('EvictionBudget', () => {
  const isReady = ({ status }: Node) => status?.conditions?.[0]?.status === 'True';

  test('one node at once, then one for each period', () => {
    const budget = new EvictionBudget({ perSecond: 0.1 });
    const nodes = [node('a'), node('b', { ready: 'False' })];
    const grants = [0, 0, 5000, 10_000, 11_000].map((atMs) => budget.at(atMs, nodes, isReady)('/'));
    assert.deepEqual(grants, [true, false, false, true, false]);
  });

  test('in a small zone of which most has failed, no further node is evicted', () => {
    const budget = new EvictionBudget({ perSecond: 0.1 });
    const nodes = [node('a'), ...['b', 'c', 'd'].map((name) => node(name, { ready: 'False' }))];
    assert.equal(budget.at(0, nodes, isReady)('/'), false);
  });
});
