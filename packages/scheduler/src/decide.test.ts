import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Node, Pod, PodSpec } from '@ballast/kube';
import { Cluster } from './cluster.ts';
import { decide } from './decide.ts';
import { testNode, testPod } from './fixtures.ts';
import { placedPod } from './node-info.ts';

const ZONE = 'topology.kubernetes.io/zone';

function clusterOf(nodes: readonly Node[], placed: readonly (readonly [pod: Pod, node: string])[] = []): Cluster {
  const cluster = new Cluster();
  for (const node of nodes) cluster.setNode(node);
  for (const [pod, node] of placed) cluster.assume(pod, node);
  return cluster;
}

const choose = (pod: Pod, cluster: Cluster) => decide({ placed: placedPod(pod), cluster, random: () => 0.5 });
const nodeFor = (pod: Pod, cluster: Cluster) => {
  const decision = choose(pod, cluster);
  return decision.kind === 'node' ? decision.node : decision.message;
};

suite('filters', () => {
  const CASES: readonly (readonly [what: string, node: Node, pod: Pod, reason: string | undefined])[] = [
    ['a pod that fits', testNode('n'), testPod('p', { cpu: '1' }), undefined],
    ['cpu', testNode('n'), testPod('p', { cpu: '5' }), 'Insufficient cpu'],
    ['memory', testNode('n'), testPod('p', { memory: '9Gi' }), 'Insufficient memory'],
    ['the number of pods', testNode('n', { pods: '0' }), testPod('p'), 'Too many pods'],
    ['a cordoned node', testNode('n', { spec: { unschedulable: true } }), testPod('p'), 'node(s) were unschedulable'],
    [
      'a taint',
      testNode('n', { spec: { taints: [{ key: 'team', value: 'a', effect: 'NoSchedule' }] } }),
      testPod('p'),
      'node(s) had untolerated taint {team: a}',
    ],
    [
      'a tolerated taint',
      testNode('n', { spec: { taints: [{ key: 'team', value: 'a', effect: 'NoSchedule' }] } }),
      testPod('p', { spec: { tolerations: [{ key: 'team', operator: 'Exists' }] } }),
      undefined,
    ],
    [
      'nodeSelector',
      testNode('n'),
      testPod('p', { spec: { nodeSelector: { disk: 'ssd' } } }),
      "node(s) didn't match Pod's node affinity/selector",
    ],
    [
      'an extended resource',
      testNode('n'),
      testPod('p', {
        spec: { containers: [{ name: 'c', resources: { requests: { 'example.com/gpu': '1' } } }] },
      }),
      'Insufficient example.com/gpu',
    ],
    [
      'an init container larger than the rest',
      testNode('n'),
      testPod('p', { spec: { initContainers: [{ name: 'i', resources: { requests: { cpu: '5' } } }] } }),
      'Insufficient cpu',
    ],
    [
      'overhead',
      testNode('n'),
      testPod('p', { cpu: '3500m', spec: { overhead: { cpu: '600m' } } }),
      'Insufficient cpu',
    ],
  ];
  for (const [what, node, pod, reason] of CASES) {
    test(`${what}: ${reason ?? 'fits'}`, () => {
      assert.equal(nodeFor(pod, clusterOf([node])), reason ? `0/1 nodes are available: 1 ${reason}.` : 'n');
    });
  }

  test('host ports of pods that are there are taken', () => {
    const cluster = clusterOf([testNode('a'), testNode('b')], [[testPod('x', { hostPort: 80 }), 'a']]);
    assert.equal(nodeFor(testPod('p', { hostPort: 80 }), cluster), 'b');
  });

  test('reasons are counted by node and sorted, as upstream prints them', () => {
    const cluster = clusterOf([
      testNode('a', { cpu: '1' }),
      testNode('b', { cpu: '1' }),
      testNode('c', { spec: { unschedulable: true } }),
    ]);
    assert.equal(
      nodeFor(testPod('p', { cpu: '2' }), cluster),
      '0/3 nodes are available: 1 node(s) were unschedulable, 2 Insufficient cpu.',
    );
    assert.equal(nodeFor(testPod('p'), clusterOf([])), 'no nodes available to schedule pods');
  });

  test('DoNotSchedule keeps the skew over domains', () => {
    const spread: Partial<PodSpec> = {
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: ZONE,
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'web' } },
        },
      ],
    };
    const pod = (name: string) => testPod(name, { labels: { app: 'web' }, spec: spread });
    const nodes = [
      testNode('a', { labels: { [ZONE]: 'z1' } }),
      testNode('b', { labels: { [ZONE]: 'z2' }, spec: { unschedulable: true } }),
      testNode('c'),
    ];
    const cluster = clusterOf(nodes, [[pod('x'), 'a']]);
    assert.equal(
      nodeFor(pod('p'), cluster),
      "0/3 nodes are available: 1 node(s) didn't match pod topology spread constraints, " +
        "1 node(s) didn't match pod topology spread constraints (missing required label), 1 node(s) were unschedulable.",
    );
  });

  const antiAffinity = (app: string): Partial<PodSpec> => ({
    affinity: {
      podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
          { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app } } },
        ],
      },
    },
  });

  test('required anti-affinity works both ways', () => {
    const refusing = testPod('x', { labels: { app: 'db' }, spec: antiAffinity('web') });
    const cluster = clusterOf([testNode('a'), testNode('b')], [[refusing, 'a']]);
    assert.equal(nodeFor(testPod('p', { labels: { app: 'web' } }), cluster), 'b');
    assert.equal(nodeFor(testPod('p', { spec: antiAffinity('db') }), cluster), 'b');
  });

  test('required affinity follows the others; the first of a group starts anywhere', () => {
    const affinity: Partial<PodSpec> = {
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: ZONE, labelSelector: { matchLabels: { app: 'web' } } },
          ],
        },
      },
    };
    const nodes = [testNode('a', { labels: { [ZONE]: 'z1' } }), testNode('b', { labels: { [ZONE]: 'z2' } })];
    const web = (name: string) => testPod(name, { labels: { app: 'web' }, spec: affinity });
    assert.equal(choose(web('first'), clusterOf(nodes)).kind, 'node');
    assert.equal(nodeFor(web('second'), clusterOf(nodes, [[web('first'), 'b']])), 'b');
    assert.equal(choose(testPod('stranger', { spec: affinity }), clusterOf(nodes)).kind, 'none');
  });
});

suite('scores', () => {
  test('pods of one owner are spread over nodes', () => {
    const cluster = clusterOf([testNode('a'), testNode('b'), testNode('c')]);
    const chosen = Array.from({ length: 9 }, (_, index) => {
      const pod = testPod(`p${index}`, { owner: 'web' });
      const node = nodeFor(pod, cluster);
      cluster.assume(pod, node);
      return node;
    });
    for (const name of ['a', 'b', 'c']) assert.equal(chosen.filter((node) => node === name).length, 3);
  });

  test('a replacement goes where fewest siblings are, even to the node with most load', () => {
    const cluster = clusterOf(
      [testNode('a'), testNode('b')],
      [
        [testPod('x', { owner: 'web' }), 'a'],
        [testPod('big', { cpu: '2', memory: '4Gi' }), 'b'],
      ],
    );
    assert.equal(nodeFor(testPod('p', { owner: 'web' }), cluster), 'b');
  });

  test('without siblings the emptier node is chosen', () => {
    const cluster = clusterOf([testNode('a'), testNode('b')], [[testPod('big', { cpu: '2', memory: '4Gi' }), 'a']]);
    assert.equal(nodeFor(testPod('p'), cluster), 'b');
  });

  test('zones count as well as nodes', () => {
    const cluster = clusterOf(
      [
        testNode('a1', { labels: { [ZONE]: 'a' } }),
        testNode('a2', { labels: { [ZONE]: 'a' } }),
        testNode('b1', { labels: { [ZONE]: 'b' } }),
      ],
      [[testPod('x', { owner: 'web' }), 'a1']],
    );
    assert.equal(nodeFor(testPod('p', { owner: 'web' }), cluster), 'b1');
  });

  test('preferred node affinity and PreferNoSchedule are heeded', () => {
    const nodes = [
      testNode('a', { spec: { taints: [{ key: 'x', effect: 'PreferNoSchedule' }] } }),
      testNode('b'),
      testNode('c', { labels: { disk: 'ssd' } }),
    ];
    const preference = { matchExpressions: [{ key: 'disk', operator: 'In' as const, values: ['ssd'] }] };
    const affinity = {
      nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 50, preference }] },
    };
    assert.equal(nodeFor(testPod('p', { spec: { affinity } }), clusterOf(nodes)), 'c');
    assert.equal(nodeFor(testPod('p'), clusterOf(nodes.slice(0, 2))), 'b');
  });

  test('a node that has the image is preferred among equals', () => {
    const nodes = [testNode('a'), testNode('b', { images: ['app:1'] })];
    assert.equal(nodeFor(testPod('p'), clusterOf(nodes)), 'b');
  });
});
