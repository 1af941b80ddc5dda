import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { withCondition } from './conditions.ts';

const NOW = Date.UTC(2026, 0, 1);
const at = (offsetMs: number) => new Date(NOW + offsetMs).toISOString();

suite('withCondition', () => {
  const condition = { type: 'A', status: 'True', reason: 'R', lastTransitionTime: at(0) };
  test('the same status and reason change nothing; another reason keeps the time of the transition', () => {
    const later = { ...condition, lastTransitionTime: at(5000) };
    assert.deepEqual(withCondition([condition], later), [condition]);
    assert.deepEqual(withCondition([condition], { ...later, reason: 'S' }), [{ ...condition, reason: 'S' }]);
    assert.deepEqual(withCondition([condition], { ...later, status: 'False' }), [{ ...later, status: 'False' }]);
  });
});
