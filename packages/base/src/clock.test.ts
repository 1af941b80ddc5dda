import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedClock } from './clock.ts';

test('timers fire in order of due time, and see the time at which they were due', async () => {
  const clock = new SimulatedClock();
  const seen: [string, number][] = [];
  clock.timer(20, () => seen.push(['b', clock.monotonicMs()]));
  clock.timer(10, () => {
    seen.push(['a', clock.monotonicMs()]);
    clock.timer(5, () => seen.push(['nested', clock.monotonicMs()]));
  });
  clock.timer(30, () => seen.push(['late', clock.monotonicMs()]));
  await clock.advance(25);
  assert.deepEqual(seen, [
    ['a', 10],
    ['nested', 15],
    ['b', 20],
  ]);
  assert.equal(clock.pending, 1);
});

test('a disposed timer never fires', async () => {
  const clock = new SimulatedClock();
  let fired = false;
  clock
    .timer(10, () => {
      fired = true;
    })
    [Symbol.dispose]();
  await clock.advance(100);
  assert.equal(fired, false);
});

test('sleep rejects when aborted, and leaves no timer behind', async () => {
  const clock = new SimulatedClock();
  const controller = new AbortController();
  const sleeping = clock.sleep(1000, controller.signal);
  controller.abort();
  await assert.rejects(sleeping, { name: 'AbortError' });
  assert.equal(clock.pending, 0);
});

test('a jump of the wall clock moves no timer', async () => {
  const clock = new SimulatedClock(0);
  let fired = false;
  clock.timer(10, () => {
    fired = true;
  });
  clock.jumpWallClock(3_600_000);
  await clock.advance(9);
  assert.equal(fired, false);
  assert.equal(clock.nowMs(), 3_600_009);
});
