import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from './index.ts';
import { availableInMs, isPodActive, isPodReady } from './pod-readiness.ts';

function pod(ready: 'True' | 'False' | 'Unknown', since = '2026-01-01T00:00:00Z'): Pod {
  return {
    metadata: { name: 'p' },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready, lastTransitionTime: since }] },
  };
}

test('a pod is ready only when it says so', () => {
  assert.equal(isPodReady(pod('True')), true);
  assert.equal(isPodReady(pod('Unknown')), false);
  assert.equal(isPodReady({ metadata: { name: 'p' } }), false);
});

test('finished and terminating pods are not active', () => {
  assert.equal(isPodActive(pod('True')), true);
  assert.equal(isPodActive({ metadata: { name: 'p' }, status: { phase: 'Failed' } }), false);
  assert.equal(isPodActive({ metadata: { name: 'p', deletionTimestamp: '2026-01-01T00:00:00Z' } }), false);
});

test('minReadySeconds delay availability, counted from when the pod became ready', () => {
  const start = Date.UTC(2026, 0, 1);
  assert.equal(availableInMs(pod('True'), 0, start), 0);
  assert.equal(availableInMs(pod('True'), 10, start + 4000), 6000);
  assert.equal(availableInMs(pod('True'), 10, start + 10_000), 0);
  assert.equal(availableInMs(pod('False'), 0, start), undefined);
});
