import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { Cluster } from './cluster.ts';
import { testNode, testPod } from './fixtures.ts';
import { placedPod } from './node-info.ts';
import { isWaitingForVictims, planPreemption, preemptionMessage } from './preemption.ts';

const pod = (name: string, priority: number, cpu: string, extra: object = {}) =>
  testPod(name, { cpu, spec: { priority, ...extra } });

function clusterWith(pods: readonly (readonly [name: string, node: string, priority: number, cpu: string])[]): Cluster {
  const cluster = new Cluster();
  for (const name of new Set(pods.map(([, node]) => node))) cluster.setNode(testNode(name));
  for (const [name, node, priority, cpu] of pods) cluster.assume(pod(name, priority, cpu), node);
  return cluster;
}

function plan(cluster: Cluster, subject = pod('urgent', 100, '2')) {
  const result = planPreemption(placedPod(subject), cluster, [...cluster.nodes()]);
  return result && { node: result.node, victims: result.victims.map(({ metadata }) => metadata.name) };
}

suite('planPreemption', () => {
  test('only as many pods go as are needed, the least important ones', () => {
    const cluster = clusterWith([
      ['low', 'a', 1, '2'],
      ['middle', 'a', 5, '2'],
    ]);
    assert.deepEqual(plan(cluster), { node: 'a', victims: ['low'] });
  });

  test('the node whose victims matter least is chosen', () => {
    const cluster = clusterWith([
      ['x', 'a', 10, '4'],
      ['y', 'b', 1, '4'],
    ]);
    assert.deepEqual(plan(cluster), { node: 'b', victims: ['y'] });
  });

  test('pods of the same or a higher priority stay', () => {
    assert.equal(plan(clusterWith([['x', 'a', 100, '4']])), undefined);
  });

  test('preemptionPolicy Never is heeded', () => {
    const subject = pod('p', 100, '2', { preemptionPolicy: 'Never' });
    assert.equal(plan(clusterWith([['x', 'a', 0, '4']]), subject), undefined);
  });

  test('while victims are leaving the nominated node, no others are chosen', () => {
    const cluster = clusterWith([['x', 'a', 0, '4']]);
    const subject = { ...pod('p', 100, '2'), status: { nominatedNodeName: 'a' } };
    assert.equal(isWaitingForVictims(placedPod(subject), cluster), false);
    const victim = pod('x', 0, '4');
    const metadata = { ...victim.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
    cluster.setPod({ ...victim, metadata, spec: { containers: [], ...victim.spec, nodeName: 'a' } });
    assert.equal(isWaitingForVictims(placedPod(subject), cluster), true);
  });

  test('the message says on how many nodes it could not help', () => {
    assert.equal(
      preemptionMessage(3, 1),
      ' preemption: 0/3 nodes are available: 1 No preemption victims found for incoming pod, ' +
        '2 Preemption is not helpful for scheduling.',
    );
  });
});
