import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger, systemClock } from '@ballast/base';
import { EVENTS, EventRecorder, FakeClient, NODES, SERVICES, startInformer } from '@ballast/kube';
import { METALLB_NAMESPACE, SERVICE_BGP_STATUSES, SERVICE_L2_STATUSES } from '../resources/kinds.ts';
import { ServiceReporter } from './service-reporter.ts';
import { BY_SERVICE, serviceOfStatus } from './service-statuses.ts';

async function world(t: { after(fn: () => Promise<void>): void }) {
  const client = new FakeClient();
  await client.create(SERVICES, { metadata: { namespace: 'default', name: 'web' }, spec: { type: 'LoadBalancer' } });
  const common = { logger: silentLogger, clock: systemClock };
  const statuses = { ...common, namespace: METALLB_NAMESPACE, indexes: { [BY_SERVICE]: serviceOfStatus } };
  const objects = {
    services: startInformer(client, SERVICES, common),
    nodes: startInformer(client, NODES, common),
    l2Statuses: startInformer(client, SERVICE_L2_STATUSES, statuses),
    bgpStatuses: startInformer(client, SERVICE_BGP_STATUSES, statuses),
  };
  t.after(async () => {
    for (const informer of Object.values(objects)) await informer[Symbol.asyncDispose]();
  });
  await Promise.all(Object.values(objects).map((informer) => informer.synced));
  const recorder = new EventRecorder({ client, ...common, component: 'metallb-speaker' });
  const reporter = (node: string) => new ServiceReporter({ client, objects, recorder, node });
  const settle = async () => {
    for (let i = 0; i < 6; i++) await systemClock.sleep(5);
  };
  const events = async () => {
    await recorder.flush();
    return (await client.list(EVENTS)).items.map(({ reason, message }) => `${reason}: ${message}`);
  };
  return { client, reporter, settle, events };
}

const ALL = { address: '192.0.2.200', wanted: [], present: ['eth0'] };

test('A4: the status names the announcer, a new one replaces it, and it goes with the Service', async (t) => {
  const { client, reporter, settle } = await world(t);
  const nodes = async () => (await client.list(SERVICE_L2_STATUSES)).items.map(({ status }) => status?.node);
  await reporter('n1').report('default/web', { layer2: ALL, peers: [] });
  await settle();
  assert.deepEqual(await nodes(), ['n1']);
  const [object] = (await client.list(SERVICE_L2_STATUSES)).items;
  assert.match(object?.metadata.name ?? '', /^l2-/);
  assert.equal(object?.metadata.labels?.['metallb.io/service-name'], 'web');
  await reporter('n2').report('default/web', { layer2: ALL, peers: [] });
  await settle();
  assert.deepEqual(await nodes(), ['n2']);
  await reporter('n2').report('default/web', { layer2: undefined, peers: [] });
  assert.deepEqual(await nodes(), []);
});

test('H1: every announcing node lists its peers, and only its own object goes when it stops', async (t) => {
  const { client, reporter, settle } = await world(t);
  const statuses = async () =>
    (await client.list(SERVICE_BGP_STATUSES)).items
      .map(({ status }) => `${status?.node}: ${status?.peers?.join()}`)
      .sort();
  await reporter('n1').report('default/web', { layer2: undefined, peers: ['a', 'b'] });
  await reporter('n2').report('default/web', { layer2: undefined, peers: ['a'] });
  await settle();
  assert.deepEqual(await statuses(), ['n1: a,b', 'n2: a']);
  await reporter('n1').report('default/web', { layer2: undefined, peers: ['b'] });
  await settle();
  assert.deepEqual(await statuses(), ['n1: b', 'n2: a']);
  await reporter('n1').report('default/web', { layer2: undefined, peers: [] });
  assert.deepEqual(await statuses(), ['n2: a']);
});

test('nodeAssigned is said once, and again only after it was untrue', async (t) => {
  const { reporter, settle, events } = await world(t);
  const n1 = reporter('n1');
  const say = async (layer2: typeof ALL | undefined) => {
    await n1.report('default/web', { layer2, peers: [] });
    await settle();
  };
  await say(ALL);
  await say(ALL);
  assert.deepEqual(await events(), ['nodeAssigned: announcing from node "n1" with protocol "layer2"']);
});

test('B4, B7: the status lists the interfaces; an interface that is not there is an event and no announcement', async (t) => {
  const { client, reporter, settle, events } = await world(t);
  const n1 = reporter('n1');
  await n1.report('default/web', { layer2: { ...ALL, wanted: ['eth0', 'eth9'] }, peers: [] });
  await settle();
  assert.deepEqual((await client.list(SERVICE_L2_STATUSES)).items[0]?.status?.interfaces, [{ name: 'eth0' }]);
  await n1.report('default/web', { layer2: { ...ALL, wanted: ['eth9'] }, peers: [] });
  await settle();
  assert.equal((await client.list(SERVICE_L2_STATUSES)).items.length, 0);
  assert.ok(
    (await events()).some((text) => text.startsWith('announceFailed: the interface specified by LB IP "192.0.2.200"')),
  );
});
