import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Pod } from '@ballast/kube';
import fc from 'fast-check';
import { Cluster } from './cluster.ts';
import { testNode, testPod } from './fixtures.ts';

const NODES = ['a', 'b', 'c'];
const QUERY = { namespaces: ['default'], selector: { matchLabels: { app: 'web' } } };

const onNode = (pod: Pod, nodeName: string): Pod => ({ ...pod, spec: { containers: [], ...pod.spec, nodeName } });

suite('Cluster', () => {
  test('over any series of changes sums and counts are those of the pods that are there', () => {
    const step = fc.record({
      pod: fc.integer({ min: 0, max: 7 }),
      node: fc.constantFrom(...NODES),
      what: fc.constantFrom('assume', 'confirm', 'remove', 'forget', 'finish', 'terminate'),
      web: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const cluster = new Cluster();
        for (const name of NODES) cluster.setNode(testNode(name));
        const model = new Map<string, { node: string; assumed: boolean; web: boolean; terminating: boolean }>();
        cluster.countMatching(QUERY);
        for (const { pod: id, node, what, web } of steps) {
          const name = `p${id}`;
          const pod = testPod(name, { cpu: '1', owner: 'o', labels: web ? { app: 'web' } : {} });
          if (what === 'assume') {
            cluster.assume(pod, node);
            model.set(name, { node, assumed: true, web, terminating: false });
          } else if (what === 'confirm') {
            cluster.setPod(onNode(pod, node));
            model.set(name, { node, assumed: false, web, terminating: false });
          } else if (what === 'terminate') {
            const metadata = { ...pod.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' };
            cluster.setPod(onNode({ ...pod, metadata }, node));
            model.set(name, { node, assumed: false, web, terminating: true });
          } else if (what === 'forget') {
            cluster.forget(pod);
            if (model.get(name)?.assumed) model.delete(name);
          } else {
            if (what === 'remove') cluster.removePod(pod);
            else cluster.setPod({ ...onNode(pod, node), status: { phase: 'Succeeded' } });
            model.delete(name);
          }
          for (const at of NODES) {
            const here = [...model.values()].filter((entry) => entry.node === at);
            assert.equal(cluster.node(at)?.podCount, here.length);
            assert.equal(cluster.node(at)?.requested.get('cpu') ?? 0, here.length * 1000);
            const alive = here.filter(({ terminating }) => !terminating);
            assert.equal(cluster.countOfOwner('o').get(at) ?? 0, alive.length);
            assert.equal(cluster.countMatching(QUERY).get(at) ?? 0, alive.filter((entry) => entry.web).length);
          }
        }
      }),
    );
  });

  test('pods that are seen before their node count when it comes', () => {
    const cluster = new Cluster();
    cluster.setPod(onNode(testPod('p', { cpu: '1' }), 'a'));
    cluster.setNode(testNode('a'));
    assert.equal(cluster.node('a')?.requested.get('cpu'), 1000);
  });

  test('an assumption outlives an older state of the pod without a node', () => {
    const cluster = new Cluster();
    cluster.setNode(testNode('a'));
    const pod = testPod('p');
    cluster.assume(pod, 'a');
    cluster.setPod(pod);
    assert.equal(cluster.isPlaced('default/p'), true);
  });
});
