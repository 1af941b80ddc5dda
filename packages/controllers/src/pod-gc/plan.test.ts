import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Node, Pod } from '@ballast/kube';
import { planPodCollection } from './plan.ts';

const NOW = Date.UTC(2026, 0, 1);
const at = (offsetMs: number) => new Date(NOW + offsetMs).toISOString();

suite('planPodCollection', () => {
  const node = (status: string): Node => ({
    metadata: { name: 'n' },
    status: { conditions: [{ type: 'Ready', status: status as 'True' }] },
  });
  const pod = (options: {
    node?: string;
    deletedAgoMs?: number;
    owner?: string;
    phase?: string;
    created?: number;
  }): Pod => ({
    metadata: {
      name: `p${options.created ?? ''}`,
      creationTimestamp: at(options.created ?? 0),
      ...(options.deletedAgoMs === undefined ? {} : { deletionTimestamp: at(-options.deletedAgoMs) }),
      ownerReferences: options.owner
        ? [{ apiVersion: 'x', kind: options.owner, name: 'o', uid: 'o', controller: true }]
        : [],
    },
    spec: { containers: [], ...(options.node ? { nodeName: options.node } : {}) },
    status: { phase: (options.phase ?? 'Running') as 'Running' },
  });
  const reasons = (pods: Pod[], lookup: Node | undefined) =>
    planPodCollection({ pods, node: () => lookup, nowMs: NOW, maxFinished: 1 }).map(({ reason }) => reason);

  test('pods of nodes that are gone, and terminating ones that never had a node', () => {
    assert.deepEqual(reasons([pod({ node: 'n' })], undefined), ['orphaned']);
    assert.deepEqual(reasons([pod({ deletedAgoMs: 1 })], undefined), ['unscheduled']);
    assert.deepEqual(reasons([pod({})], undefined), []);
  });

  test('a terminating pod on a silent node goes after its time, when it is interchangeable', () => {
    const overdue = { node: 'n', deletedAgoMs: 40_000 };
    assert.deepEqual(reasons([pod({ ...overdue, owner: 'ReplicaSet' })], node('Unknown')), ['dead-node']);
    assert.deepEqual(reasons([pod({ ...overdue, owner: 'StatefulSet' })], node('Unknown')), []);
    assert.deepEqual(reasons([pod({ ...overdue, owner: 'ReplicaSet' })], node('True')), []);
    assert.deepEqual(reasons([pod({ node: 'n', deletedAgoMs: 100, owner: 'ReplicaSet' })], node('Unknown')), []);
  });

  test('of finished pods the oldest go first', () => {
    const pods = [3, 1, 2].map((created) => pod({ node: 'n', phase: 'Failed', created }));
    const doomed = planPodCollection({ pods, node: () => node('True'), nowMs: NOW, maxFinished: 1 });
    assert.deepEqual(
      doomed.map(({ pod: { metadata } }) => metadata.name),
      ['p1', 'p2'],
    );
  });
});
