import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedClock, silentLogger } from '@ballast/base';
import { EventRecorder } from './event-recorder.ts';
import { FakeClient } from './fake-client.ts';
import { EVENTS } from './kinds/index.ts';

const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'a', name: 'web', uid: 'u1' } };

function recorder() {
  const client = new FakeClient();
  const clock = new SimulatedClock();
  return {
    client,
    clock,
    events: new EventRecorder({ client, clock, logger: silentLogger, component: 'test', host: 'node-1' }),
  };
}

test('an occurrence becomes an event beside its object', async () => {
  const { client, events } = recorder();
  events.record({
    object: pod,
    type: 'Warning',
    reason: 'BackOff',
    message: 'again',
    fieldPath: 'spec.containers{web}',
  });
  await events.flush();
  const [event] = (await client.list(EVENTS)).items;
  assert.equal(event?.metadata.namespace, 'a');
  assert.match(event?.metadata.name ?? '', /^web\.[0-9a-f]+$/);
  assert.deepEqual(event?.involvedObject, {
    ...pod.metadata,
    apiVersion: 'v1',
    kind: 'Pod',
    fieldPath: 'spec.containers{web}',
  });
  assert.deepEqual(event?.source, { component: 'test', host: 'node-1' });
});

test('what repeats is counted up, another message is another event', async () => {
  const { client, clock, events } = recorder();
  for (const message of ['x', 'x', 'y', 'x']) {
    events.record({ object: pod, type: 'Normal', reason: 'Pulled', message });
    await clock.advance(1000);
  }
  await events.flush();
  const items = (await client.list(EVENTS)).items;
  assert.deepEqual(
    items.map(({ message, count }) => [message, count]),
    [
      ['x', 3],
      ['y', 1],
    ],
  );
});

test('an event that expired meanwhile is written anew', async () => {
  const { client, events } = recorder();
  events.record({ object: pod, type: 'Normal', reason: 'Pulled', message: 'x' });
  await events.flush();
  for (const { metadata } of (await client.list(EVENTS)).items) await client.delete(EVENTS, metadata);
  events.record({ object: pod, type: 'Normal', reason: 'Pulled', message: 'x' });
  await events.flush();
  assert.equal((await client.list(EVENTS)).items.length, 1);
});

test('an unreachable server costs the event and nothing else', async () => {
  const { client, events } = recorder();
  client.create = () => Promise.reject(new Error('down'));
  events.record({ object: pod, type: 'Normal', reason: 'Pulled', message: 'x' });
  await events.flush();
});
