import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Taint, Toleration } from './index.ts';
import { tolerates, untoleratedTaint } from './toleration.ts';

const taint: Taint = { key: 'team', value: 'a', effect: 'NoSchedule' };

const CASES: readonly (readonly [toleration: Toleration, covers: boolean])[] = [
  [{ key: 'team', operator: 'Equal', value: 'a', effect: 'NoSchedule' }, true],
  [{ key: 'team', value: 'a' }, true],
  [{ key: 'team', value: 'b' }, false],
  [{ key: 'team', operator: 'Exists' }, true],
  [{ key: 'team', operator: 'Exists', effect: 'NoExecute' }, false],
  [{ operator: 'Exists' }, true],
  [{ key: 'other', operator: 'Exists' }, false],
  [{}, false],
];

for (const [toleration, covers] of CASES) {
  test(`a toleration ${JSON.stringify(toleration)} ${covers ? 'covers' : 'does not cover'} team=a:NoSchedule`, () => {
    assert.equal(tolerates(toleration, taint), covers);
  });
}

test('only taints with the effects asked about count', () => {
  const preferred: Taint = { key: 'x', effect: 'PreferNoSchedule' };
  assert.equal(untoleratedTaint([preferred, taint], [], ['NoSchedule', 'NoExecute']), taint);
  assert.equal(untoleratedTaint([preferred], [], ['NoSchedule', 'NoExecute']), undefined);
});
