import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Pod } from '@ballast/kube';
import { inDeletionOrder } from './rank.ts';

const NOW = Date.UTC(2026, 0, 1);
const at = (offsetMs: number) => new Date(NOW + offsetMs).toISOString();

suite('inDeletionOrder', () => {
  const pod = (
    name: string,
    options: { node?: string; ready?: boolean; cost?: number; created?: number } = {},
  ): Pod => ({
    metadata: {
      name,
      uid: name,
      creationTimestamp: at(options.created ?? 0),
      annotations:
        options.cost === undefined ? {} : { 'controller.kubernetes.io/pod-deletion-cost': `${options.cost}` },
    },
    spec: { containers: [], ...(options.node ? { nodeName: options.node } : {}) },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: options.ready === false ? 'False' : 'True' }] },
  });
  const order = (...pods: Pod[]) => inDeletionOrder(pods, pods).map(({ metadata }) => metadata.name);

  test('unassigned before assigned, unready before ready, cheap before dear, crowded before lonely, young before old', () => {
    assert.deepEqual(order(pod('a', { node: 'n' }), pod('b')), ['b', 'a']);
    assert.deepEqual(order(pod('a', { node: 'n' }), pod('b', { node: 'm', ready: false })), ['b', 'a']);
    assert.deepEqual(order(pod('a', { node: 'n' }), pod('b', { node: 'm', cost: -5 })), ['b', 'a']);
    const crowded = order(pod('a', { node: 'm' }), pod('b', { node: 'n', created: 1 }), pod('c', { node: 'n' }));
    assert.deepEqual(crowded, ['b', 'c', 'a']);
  });
});
