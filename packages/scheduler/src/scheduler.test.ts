import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { SimulatedClock, silentLogger } from '@ballast/base';
import { EVENTS, FakeClient, NODES, PODS, podCondition } from '@ballast/kube';
import { testNode, testPod } from './fixtures.ts';
import { startScheduler } from './start.ts';

async function startCluster(nodes: readonly string[]) {
  const client = new FakeClient();
  for (const name of nodes) await client.create(NODES, testNode(name));
  const clock = new SimulatedClock();
  const running = startScheduler({ client, clock, logger: silentLogger });
  return { client, clock, [Symbol.asyncDispose]: () => running[Symbol.asyncDispose]() };
}

/** Lets simulated time pass until `read` gives something other than undefined or false. */
async function eventually<T>(
  clock: SimulatedClock,
  what: string,
  read: () => Promise<T | undefined | false>,
): Promise<T> {
  for (let attempt = 0; attempt < 2000; attempt++) {
    const value = await read();
    if (value !== undefined && value !== false) return value;
    await clock.advance(20);
  }
  throw new Error(`did not happen: ${what}`);
}

suite('startScheduler', () => {
  test('binds every pod once, evenly, and says so', async () => {
    await using cluster = await startCluster(['a', 'b', 'c']);
    const { client, clock } = cluster;
    await Promise.all(Array.from({ length: 30 }, (_, i) => client.create(PODS, testPod(`p${i}`, { owner: 'web' }))));
    const pods = await eventually(clock, 'all bound', async () => {
      const { items } = await client.list(PODS);
      return items.every(({ spec }) => spec?.nodeName) && items;
    });
    for (const node of ['a', 'b', 'c']) assert.equal(pods.filter(({ spec }) => spec?.nodeName === node).length, 10);
    assert.equal(client.writes.filter((write) => write.startsWith('create-binding')).length, 30);
    await eventually(clock, 'events', async () => {
      const { items } = await client.list(EVENTS);
      return items.some(
        ({ reason, message }) => reason === 'Scheduled' && /^Successfully assigned default\/p/.test(message ?? ''),
      );
    });
  });

  test('a pod that fits nowhere is marked, and placed as soon as a node appears', async () => {
    await using cluster = await startCluster(['a']);
    const { client, clock } = cluster;
    await client.create(PODS, testPod('big', { cpu: '6' }));
    const ref = { namespace: 'default', name: 'big' };
    const marked = await eventually(clock, 'a condition', async () =>
      podCondition(await client.get(PODS, ref), 'PodScheduled'),
    );
    assert.equal(marked.reason, 'Unschedulable');
    assert.equal(
      marked.message,
      '0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: ' +
        '1 No preemption victims found for incoming pod.',
    );
    await client.create(NODES, testNode('large', { cpu: '8' }));
    await eventually(clock, 'bound', async () => (await client.get(PODS, ref)).spec?.nodeName === 'large');
  });

  test('pods of other schedulers, gated ones and terminating ones are left alone', async () => {
    await using cluster = await startCluster(['a']);
    const { client, clock } = cluster;
    await client.create(PODS, testPod('other', { spec: { schedulerName: 'mine' } }));
    await client.create(PODS, testPod('gated', { spec: { schedulingGates: [{ name: 'wait' }] } }));
    await client.create(PODS, testPod('normal'));
    await eventually(
      clock,
      'bound',
      async () => (await client.get(PODS, { namespace: 'default', name: 'normal' })).spec?.nodeName,
    );
    const bound = client.writes.filter((write) => write.startsWith('create-binding'));
    assert.deepEqual(bound, ['create-binding pods default/normal']);
  });

  test('an important pod takes the place of an unimportant one', async () => {
    await using cluster = await startCluster(['a']);
    const { client, clock } = cluster;
    await client.create(PODS, testPod('low', { cpu: '3' }));
    const low = { namespace: 'default', name: 'low' };
    await eventually(clock, 'low is bound', async () => (await client.get(PODS, low)).spec?.nodeName);
    await client.create(PODS, testPod('high', { cpu: '3', spec: { priority: 1000 } }));
    await eventually(
      clock,
      'low is being deleted',
      async () => (await client.get(PODS, low)).metadata.deletionTimestamp,
    );
    const high = { namespace: 'default', name: 'high' };
    await eventually(clock, 'nominated', async () => (await client.get(PODS, high)).status?.nominatedNodeName === 'a');
    client.forceRemove(PODS, low);
    await eventually(clock, 'high is bound', async () => (await client.get(PODS, high)).spec?.nodeName === 'a');
  });
});
