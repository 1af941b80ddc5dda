import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedClock } from '@ballast/base';
import { WorkQueue } from './work-queue.ts';

const { signal } = new AbortController();

test('a key waits once, however often it is added', async () => {
  const queue = new WorkQueue(new SimulatedClock());
  queue.add('a');
  queue.add('a');
  queue.add('b');
  assert.equal(await queue.get(signal), 'a');
  assert.equal(await queue.get(signal), 'b');
  assert.equal(queue.size, 0);
});

test('a key that is added while it is worked on comes back afterwards, never at the same time', async () => {
  const queue = new WorkQueue(new SimulatedClock());
  queue.add('a');
  await queue.get(signal);
  queue.add('a');
  assert.equal(queue.size, 0);
  queue.done('a');
  assert.equal(queue.size, 1);
});

test('failures back off from 5 ms, doubling; success starts over', async () => {
  const clock = new SimulatedClock();
  const queue = new WorkQueue(clock);
  const delays: number[] = [];
  for (let i = 0; i < 4; i++) {
    const before = clock.monotonicMs();
    queue.retry('a');
    while (queue.size === 0) await clock.advance(1);
    delays.push(clock.monotonicMs() - before);
    queue.done(await queue.get(signal));
  }
  assert.deepEqual(delays, [5, 10, 20, 40]);
  queue.forget('a');
  queue.retry('a');
  await clock.advance(5);
  assert.equal(queue.size, 1);
});

test('of several delays the earliest counts', async () => {
  const clock = new SimulatedClock();
  const queue = new WorkQueue(clock);
  queue.addAfter('a', 100);
  queue.addAfter('a', 10);
  queue.addAfter('a', 50);
  await clock.advance(10);
  assert.equal(queue.size, 1);
  queue.done(await queue.get(signal));
  await clock.advance(1000);
  assert.equal(queue.size, 0);
});

test('waiting ends when the signal aborts, and takes no later key with it', async () => {
  const queue = new WorkQueue(new SimulatedClock());
  const controller = new AbortController();
  const waiting = queue.get(controller.signal);
  controller.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  queue.add('a');
  assert.equal(await queue.get(signal), 'a');
});
