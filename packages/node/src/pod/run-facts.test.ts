import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedClock } from '@ballast/base';
import type { PodContext } from './pod-context.ts';
import type { ContainerView } from './pod-view.ts';
import { RunFacts } from './run-facts.ts';

test('a clock that was set back by an hour does not make a container wait for an hour', () => {
  const clock = new SimulatedClock();
  const facts = new RunFacts({ clock } as unknown as PodContext, () => {});
  facts.hold('main', clock.nowMs() + 10_000);
  assert.equal(facts.notBeforeMs('main', undefined), clock.nowMs() + 10_000);
  facts.hold('main', clock.nowMs() + 3_610_000);
  assert.equal(facts.notBeforeMs('main', undefined), 0);
  facts.clearWaiting('main');
  const ended = { id: 'c', name: 'main', state: 'exited', attempt: 3, startedAtMs: 0 };
  const run = { ...ended, finishedAtMs: clock.nowMs() + 3_600_000 } as unknown as ContainerView;
  facts.backoff.restarted('main', run, clock.nowMs() + 3_600_000);
  assert.equal(facts.notBeforeMs('main', run), 0);
});
