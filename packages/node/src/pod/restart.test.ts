import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerView } from './pod-view.ts';
import { goDuration, RestartBackoff } from './restart.ts';

const ended = (finishedAtMs: number) => ({ finishedAtMs }) as ContainerView;

test('the first restart comes at once, later ones after 10 s, doubling up to 5 minutes', () => {
  const backoff = new RestartBackoff();
  let nowMs = 1_000_000;
  const delays: number[] = [];
  for (let i = 0; i < 8; i += 1) {
    const last = ended(nowMs);
    const due = backoff.notBeforeMs('main', last);
    delays.push(due === 0 ? 0 : due - nowMs);
    nowMs = Math.max(nowMs, due) + 1000;
    backoff.restarted('main', last, nowMs);
  }
  assert.deepEqual(delays, [0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000]);
});

test('a run of more than ten minutes is a success that makes the past forgotten', () => {
  const backoff = new RestartBackoff();
  backoff.restarted('main', ended(0), 1000);
  assert.equal(backoff.notBeforeMs('main', ended(20_000)), 30_000);
  assert.equal(backoff.notBeforeMs('main', ended(1000 + 600_001)), 0);
});

test('durations are written as Go writes them', () => {
  assert.deepEqual([10_000, 80_000, 300_000, 3_661_000].map(goDuration), ['10s', '1m20s', '5m0s', '1h1m1s']);
});
