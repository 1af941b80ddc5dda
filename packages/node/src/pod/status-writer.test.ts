import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SimulatedClock, silentLogger } from '@ballast/base';
import { FakeClient, PODS, type Pod, type PodStatus } from '@ballast/kube';
import { StatusWriter, statusPatch } from './status-writer.ts';

const pod = (): Pod => ({
  metadata: { name: 'p', namespace: 'default' },
  spec: { nodeName: 'n', containers: [{ name: 'main' }] },
});

test('what is no more is named in the patch: members of conditions, and addresses', () => {
  const before: PodStatus = {
    conditions: [{ type: 'Ready', status: 'False', reason: 'ContainersNotReady', message: 'm' }],
    podIPs: [{ ip: '10.42.0.2' }],
  };
  const patch = statusPatch(before, { conditions: [{ type: 'Ready', status: 'True' }], podIPs: [{ ip: '10.42.0.3' }] });
  assert.deepEqual(patch, {
    conditions: [{ type: 'Ready', status: 'True', reason: null, message: null }],
    podIPs: [{ ip: '10.42.0.3' }, { $patch: 'delete', ip: '10.42.0.2' }],
  });
});

test('only news are written, and of news that come together only the last', async () => {
  const client = new FakeClient();
  const created = await client.create(PODS, pod());
  let writes = 0;
  const writer = new StatusWriter({
    client,
    clock: new SimulatedClock(),
    logger: silentLogger,
    wrote: () => (writes += 1),
  });
  await Promise.all([
    writer.write(created, { phase: 'Pending' }),
    writer.write(created, { phase: 'Running', message: 'first' }),
    writer.write(created, { phase: 'Running', message: 'second' }),
  ]);
  assert.equal((await client.get(PODS, created.metadata)).status?.message, 'second');
  assert.equal(writes, 2);
  await writer.write(created, { phase: 'Running', message: 'second' });
  assert.equal(writes, 2);
});

test('a status of a pod that is gone is dropped', async () => {
  const client = new FakeClient();
  const writer = new StatusWriter({ client, clock: new SimulatedClock(), logger: silentLogger, wrote: () => {} });
  await writer.write(pod(), { phase: 'Running' });
  assert.deepEqual(client.writes, []);
});

test('what somebody else wrote over our status is put right, whole', async () => {
  const client = new FakeClient();
  const created = await client.create(PODS, pod());
  const writer = new StatusWriter({ client, clock: new SimulatedClock(), logger: silentLogger, wrote: () => {} });
  const ours: PodStatus = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
  await writer.write(created, ours);
  const seen = await client.patch(
    PODS,
    created.metadata,
    {
      type: 'merge',
      body: { status: { conditions: [{ type: 'Ready', status: 'False', reason: 'NodeNotReady', message: 'm' }] } },
    },
    { subresource: 'status' },
  );
  await writer.write(seen, ours);
  const [ready] = (await client.get(PODS, created.metadata)).status?.conditions ?? [];
  assert.deepEqual({ ...ready, reason: ready?.reason ?? 'none' }, { ...ready, status: 'True', reason: 'none' });
});
