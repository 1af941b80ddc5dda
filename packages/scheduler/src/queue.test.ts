import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { testPod } from './fixtures.ts';
import { nodeResourcesFit, taintToleration } from './plugins/node-fit.ts';
import { SchedulingQueue } from './queue.ts';

const pod = (name: string, priority = 0) => testPod(name, { spec: { priority } });

function drain(queue: SchedulingQueue, nowMs: number): string[] {
  const names: string[] = [];
  for (let next = queue.pop(nowMs); next; next = queue.pop(nowMs)) names.push(next.pod.metadata.name);
  return names;
}

suite('SchedulingQueue', () => {
  test('by priority, then by arrival, whatever is removed in between', () => {
    const entries = fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 40 });
    fc.assert(
      fc.property(entries, fc.array(fc.integer({ min: 0, max: 40 })), (ids, removed) => {
        const queue = new SchedulingQueue();
        for (const id of ids) queue.put(pod(`p${id}`, id % 3), 0);
        for (const id of removed) queue.remove(`default/p${id}`);
        const expected = ids
          .map((id, order) => ({ id, order }))
          .filter(({ id }) => !removed.includes(id))
          .sort((a, b) => (b.id % 3) - (a.id % 3) || a.order - b.order)
          .map(({ id }) => `p${id}`);
        assert.deepEqual(drain(queue, 0), expected);
      }),
    );
  });

  test('a parked pod comes back only for an event that its filter wakes on, and not before its back-off', () => {
    const queue = new SchedulingQueue();
    queue.park(pod('a'), 1, [taintToleration], 0);
    queue.wake('pod-left', 5000);
    assert.deepEqual(drain(queue, 5000), []);
    queue.wake('node-changed', 5000);
    assert.deepEqual(drain(queue, 5000), ['a']);
    queue.park(pod('b'), 1, [nodeResourcesFit], 10_000);
    queue.wake('pod-left', 10_500);
    assert.deepEqual(drain(queue, 10_500), []);
    assert.equal(queue.nextMs(), 11_000);
    assert.deepEqual(drain(queue, 11_000), ['b']);
  });

  test('a parked pod that changes is tried again', () => {
    const queue = new SchedulingQueue();
    queue.park(pod('a'), 0, [taintToleration], 0);
    queue.put(pod('a'), 2000);
    assert.deepEqual(drain(queue, 2000), []);
    queue.put({ ...pod('a'), metadata: { ...pod('a').metadata, labels: { app: 'x' } } }, 2000);
    assert.deepEqual(drain(queue, 2000), ['a']);
  });

  test('a failed attempt does not displace a pod of the same name that came meanwhile', () => {
    const queue = new SchedulingQueue();
    queue.put(pod('a'), 0);
    const attempt = queue.pop(0);
    const successor = { ...pod('a'), metadata: { ...pod('a').metadata, uid: 'successor' } };
    queue.put(successor, 0);
    queue.backOff(attempt?.pod ?? pod('a'), 1, 0);
    assert.equal(queue.pop(0)?.pod.metadata.uid, 'successor');
    assert.equal(queue.size, 0);
  });

  test('back-off doubles up to ten seconds', () => {
    const queue = new SchedulingQueue();
    const waits = [1, 2, 3, 4, 5, 9].map((attempts) => {
      queue.backOff(pod('a'), attempts, 0);
      const at = queue.nextMs();
      queue.remove('default/a');
      drain(queue, 1e9);
      return at;
    });
    assert.deepEqual(waits, [1000, 2000, 4000, 8000, 10_000, 10_000]);
  });

  test('after five minutes a parked pod is tried again without any event', () => {
    const queue = new SchedulingQueue();
    queue.park(pod('a'), 0, [taintToleration], 0);
    assert.deepEqual(drain(queue, 299_999), []);
    assert.deepEqual(drain(queue, 300_000), ['a']);
  });

  test('a new pod of the same name is another pod', () => {
    const queue = new SchedulingQueue();
    queue.park(pod('a'), 5, [taintToleration], 0);
    const next = pod('a');
    queue.put({ ...next, metadata: { ...next.metadata, uid: 'other' } }, 0);
    assert.equal(queue.pop(0)?.attempts, 0);
  });
});
