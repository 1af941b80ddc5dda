import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DampedReadiness } from './damped-readiness.ts';

test('a node that is not Ready for a moment stays Ready, one that stays so does not', () => {
  const readiness = new DampedReadiness(5000);
  assert.equal(readiness.observe('n1', { ready: false, nowMs: 0 }), true);
  assert.equal(readiness.nextMs(0), 5000);
  assert.equal(readiness.observe('n1', { ready: true, nowMs: 3000 }), true);
  assert.equal(readiness.nextMs(3000), undefined);
  assert.equal(readiness.observe('n1', { ready: false, nowMs: 4000 }), true);
  assert.equal(readiness.observe('n1', { ready: false, nowMs: 8999 }), true);
  assert.equal(readiness.observe('n1', { ready: false, nowMs: 9000 }), false);
  assert.equal(readiness.nextMs(9000), undefined);
  readiness.keep(new Set());
  assert.equal(readiness.observe('n1', { ready: false, nowMs: 10_000 }), true);
});
