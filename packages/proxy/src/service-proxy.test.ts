import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MetricsRegistry, SimulatedClock, silentLogger } from '@ballast/base';
import { ENDPOINT_SLICES, FakeClient, NODES, SERVICES } from '@ballast/kube';
import { FakeDataplane } from './fake-dataplane.ts';
import { sampleService, sampleSlice } from './sample-services.ts';
import { startServiceProxy } from './service-proxy.ts';

async function world() {
  const client = new FakeClient();
  const clock = new SimulatedClock();
  const dataplane = new FakeDataplane();
  const metrics = new MetricsRegistry();
  await client.create(NODES, { metadata: { name: 'node-a' } });
  const start = () =>
    startServiceProxy({
      client,
      clock,
      dataplane,
      metrics: new MetricsRegistry(),
      logger: silentLogger,
      nodeName: 'node-a',
      nodeIps: ['192.0.2.11'],
      clusterCidr: '10.42.0.0/16',
      serviceCidr: '10.43.0.0/16',
    });
  const web = (ips: readonly string[]) =>
    sampleSlice(
      'web',
      ips.map((ip) => ({ ip })),
    );
  const endpoints = () =>
    [...dataplane.nft.elements('ip ballast-proxy', 'endpoints')].map(([key, value]) => `${key} : ${value}`);
  await client.create(SERVICES, sampleService('web', { clusterIP: '10.43.0.1' }));
  await client.create(ENDPOINT_SLICES, web(['10.42.0.1', '10.42.0.2']));
  return { client, clock, dataplane, metrics, start, web, endpoints };
}

test('proxy: what exists is programmed at start, and changes follow as differences', async () => {
  const { client, clock, dataplane, start, web, endpoints } = await world();
  await using proxy = start();
  await clock.advance(0);
  await proxy.programmed;
  assert.deepEqual(endpoints(), [
    '10.43.0.1 . tcp . 80 . 0 : 10.42.0.1 . 8080',
    '10.43.0.1 . tcp . 80 . 1 : 10.42.0.2 . 8080',
  ]);
  await client.update(ENDPOINT_SLICES, web(['10.42.0.1', '10.42.0.9']));
  await clock.advance(50);
  assert.deepEqual(dataplane.changesMade, [
    [
      'delete element ip ballast-proxy endpoints { 10.43.0.1 . tcp . 80 . 1 }',
      'add element ip ballast-proxy endpoints { 10.43.0.1 . tcp . 80 . 1 : 10.42.0.9 . 8080 }',
      '',
    ].join('\n'),
  ]);
});

test('proxy: changes that come together become one transaction', async () => {
  const { client, clock, dataplane, start, web } = await world();
  await using _proxy = start();
  await clock.advance(10);
  await client.create(SERVICES, sampleService('other', { clusterIP: '10.43.0.2' }));
  await client.create(ENDPOINT_SLICES, sampleSlice('other', [{ ip: '10.42.0.5' }]));
  await client.update(ENDPOINT_SLICES, web(['10.42.0.1']));
  await clock.advance(50);
  assert.equal(dataplane.changesMade.length, 1);
});

test('proxy: a refused transaction is followed by a comparison of everything', async () => {
  const { client, clock, dataplane, start, web, endpoints } = await world();
  await using _proxy = start();
  await clock.advance(10);
  dataplane.meddle('delete element ip ballast-proxy endpoints { 10.43.0.1 . tcp . 80 . 1 }');
  await client.update(ENDPOINT_SLICES, web(['10.42.0.1', '10.42.0.9']));
  await clock.advance(50);
  assert.deepEqual(endpoints(), [
    '10.43.0.1 . tcp . 80 . 0 : 10.42.0.1 . 8080',
    '10.43.0.1 . tcp . 80 . 1 : 10.42.0.9 . 8080',
  ]);
});

test('proxy: a table that somebody deletes is back within a second or two, with nothing else happening', async () => {
  const { clock, dataplane, start, endpoints } = await world();
  await using _proxy = start();
  await clock.advance(10);
  dataplane.meddle('delete table ip ballast-proxy');
  await clock.advance(2500);
  assert.equal(endpoints().length, 2);
});

test('proxy: elements that somebody deletes are back within a minute or so', async () => {
  const { clock, dataplane, start, endpoints } = await world();
  await using _proxy = start();
  await clock.advance(10);
  dataplane.meddle('delete element ip ballast-proxy endpoints { 10.43.0.1 . tcp . 80 . 1 }');
  await clock.advance(62_000);
  assert.equal(endpoints().length, 2);
});

test('proxy: while the kernel refuses everything it keeps trying, and catches up', async () => {
  const { client, clock, dataplane, start, web, endpoints } = await world();
  await using _proxy = start();
  await clock.advance(10);
  dataplane.broken = true;
  await client.update(ENDPOINT_SLICES, web(['10.42.0.7']));
  await clock.advance(60_000);
  dataplane.broken = false;
  await clock.advance(30_000);
  assert.deepEqual(endpoints(), ['10.43.0.1 . tcp . 80 . 0 : 10.42.0.7 . 8080']);
});

test('proxy: a successor takes the table over and writes only what changed meanwhile', async () => {
  const { client, clock, dataplane, start, web, endpoints } = await world();
  {
    await using _proxy = start();
    await clock.advance(10);
  }
  await client.update(ENDPOINT_SLICES, web(['10.42.0.2']));
  const applied = dataplane.nft.applied;
  await using _successor = start();
  await clock.advance(10);
  assert.deepEqual(endpoints(), ['10.43.0.1 . tcp . 80 . 0 : 10.42.0.2 . 8080']);
  assert.equal(dataplane.nft.applied, applied + 1, 'one transaction of differences');
});

test('proxy: clients of endpoints that are gone are released, others stay', async () => {
  const { client, clock, dataplane, start } = await world();
  const sticky = (ips: readonly string[]) =>
    sampleSlice(
      'sticky',
      ips.map((ip) => ({ ip })),
    );
  await client.create(SERVICES, sampleService('sticky', { clusterIP: '10.43.0.3', sessionAffinity: 'ClientIP' }));
  await client.create(ENDPOINT_SLICES, sticky(['10.42.0.1', '10.42.0.2']));
  await using _proxy = start();
  await clock.advance(10);
  const clientOf = (endpoint: string) => ({
    frontendKey: '10.43.0.3 tcp 80',
    endpoint: `${endpoint} . 8080`,
    element: { key: Buffer.alloc(0) },
  });
  dataplane.clients = [clientOf('10.42.0.1'), clientOf('10.42.0.2')];
  await client.update(ENDPOINT_SLICES, sticky(['10.42.0.2']));
  await clock.advance(50);
  assert.deepEqual(
    dataplane.released.map(({ endpoint }) => endpoint),
    ['10.42.0.1 . 8080'],
  );
});

test('proxy: UDP flows to endpoints that are gone are forgotten, those to draining ones are not', async () => {
  const { client, clock, dataplane, start } = await world();
  const spec = { clusterIP: '10.43.0.4', ports: [{ port: 53, protocol: 'UDP' as const }] };
  const slice = (endpoints: Parameters<typeof sampleSlice>[1]) => sampleSlice('dns', endpoints, { protocol: 'UDP' });
  await client.create(SERVICES, sampleService('dns', spec));
  await client.create(ENDPOINT_SLICES, slice([{ ip: '10.42.0.1' }, { ip: '10.42.0.2' }, { ip: '10.42.0.3' }]));
  await using _proxy = start();
  await clock.advance(10);
  dataplane.flows = ['10.42.0.1', '10.42.0.2', '10.42.0.3'].map((source, i) => ({
    protocol: 'udp',
    original: { source: '10.42.0.99', destination: '10.43.0.4', sourcePort: 1000 + i, destinationPort: 53 },
    reply: { source, destination: '10.42.0.99', sourcePort: 8080, destinationPort: 1000 + i },
  }));
  dataplane.forgotten.length = 0;
  await client.update(
    ENDPOINT_SLICES,
    slice([{ ip: '10.42.0.1' }, { ip: '10.42.0.2', ready: false, serving: true, terminating: true }]),
  );
  await clock.advance(50);
  assert.deepEqual(
    dataplane.forgotten.map(({ reply }) => reply.source),
    ['10.42.0.3'],
  );
});
