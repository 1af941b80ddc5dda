import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Pod } from '@ballast/kube';
import { evictAtMs } from './plan.ts';

const NOW = Date.UTC(2026, 0, 1);
const at = (offsetMs: number) => new Date(NOW + offsetMs).toISOString();

suite('evictAtMs', () => {
  const taint = { key: 'node.kubernetes.io/unreachable', effect: 'NoExecute' as const, timeAdded: at(0) };
  const pod = (...tolerations: NonNullable<NonNullable<Pod['spec']>['tolerations']>): Pod => ({
    metadata: { name: 'p' },
    spec: { containers: [], tolerations },
  });
  const tolerated = (seconds?: number) => ({
    key: taint.key,
    operator: 'Exists' as const,
    ...(seconds === undefined ? {} : { tolerationSeconds: seconds }),
  });

  test('without a toleration at once, with one for ever, with seconds from when the taint was added', () => {
    assert.equal(evictAtMs(pod(), [taint], NOW + 500), NOW + 500);
    assert.equal(evictAtMs(pod(tolerated()), [taint], NOW), undefined);
    assert.equal(evictAtMs(pod(tolerated(300)), [taint], NOW + 500), NOW + 300_000);
    assert.equal(evictAtMs(pod(tolerated(300), tolerated(30)), [taint], NOW), NOW + 30_000);
    assert.equal(evictAtMs(pod(), [{ ...taint, effect: 'NoSchedule' }], NOW), undefined);
  });
});
