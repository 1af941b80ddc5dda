import assert from 'node:assert/strict';
import { request } from 'node:https';
import { after, before, test } from 'node:test';
import { CONFIG_MAPS as CONFIG_MAP_RESOURCE } from '@ballast/kube';
import { MemoryStore } from '@ballast/store';
import { fieldAt, textAt } from './object/api-object.ts';
import { pem, startTestServer, type TestServer } from './testdata/test-server.ts';

let api: TestServer;
before(async () => {
  api = await startTestServer();
});
after(() => api[Symbol.asyncDispose]());

const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';

/** Reads a watch until `count` events came. An event is shown as 'ADDED name'. */
async function watchEvents(path: string, count: number, during?: () => Promise<void>): Promise<unknown[]> {
  const [ca, cert, key] = await Promise.all(['ca.crt', 'admin.crt', 'admin.key'].map(pem));
  return new Promise((resolve, reject) => {
    const outgoing = request(`${api.url}${path}`, { ca, cert, key, agent: false });
    const events: unknown[] = [];
    let text = '';
    const timer = setTimeout(
      () => reject(new Error(`only ${events.length} of ${count} events: ${JSON.stringify(events)}`)),
      5000,
    );
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      response.on('error', () => {});
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8');
        const lines = text.split('\n');
        text = lines.pop() ?? '';
        for (const line of lines) events.push(JSON.parse(line));
        if (events.length < count) return;
        clearTimeout(timer);
        outgoing.destroy();
        resolve(events);
      });
      if (during) during().catch(reject);
    });
    outgoing.end();
  });
}

const shown = (events: unknown[]) =>
  events.map((event) => `${textAt(event, 'type')} ${textAt(event, 'object', 'metadata', 'name') ?? ''}`.trim());
const put = (name: string, labels: object, n = '0') =>
  api.call('PUT', `${CONFIG_MAPS}/${name}`, { body: { metadata: { name, labels }, data: { n } } });
const create = (name: string, labels: object = {}) =>
  api.call('POST', CONFIG_MAPS, { body: { metadata: { name, labels } } });
const remove = (name: string) => api.call('DELETE', `${CONFIG_MAPS}/${name}`);

test('a watch from a version sees what happened since and what happens next, in order', async () => {
  const { at } = await create('w-1');
  await create('w-2');
  const events = await watchEvents(
    `${CONFIG_MAPS}?watch=1&resourceVersion=${at('metadata.resourceVersion')}`,
    3,
    async () => {
      await put('w-2', {}, '1');
      await remove('w-1');
    },
  );
  assert.deepEqual(shown(events), ['ADDED w-2', 'MODIFIED w-2', 'DELETED w-1']);
  const versions = events.map((event) => Number(textAt(event, 'object', 'metadata', 'resourceVersion')));
  assert.deepEqual(
    versions,
    [...versions].sort((a, b) => a - b),
    'a deletion carries its own version',
  );
  await remove('w-2');
});

test('sendInitialEvents: the present, then a bookmark that says so, then changes', async () => {
  await create('i-1');
  const query = 'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true';
  const events = await watchEvents(`${CONFIG_MAPS}?${query}`, 3, async () => {
    await create('i-2');
  });
  assert.deepEqual(shown(events), ['ADDED i-1', 'BOOKMARK', 'ADDED i-2']);
  assert.equal(fieldAt(events[1], 'object', 'metadata', 'annotations', 'k8s.io/initial-events-end'), 'true');
  const without = await api.call('GET', `${CONFIG_MAPS}?watch=1&sendInitialEvents=true`);
  assert.equal(without.code, 422);
  for (const name of ['i-1', 'i-2']) await remove(name);
});

test('an object that enters the selection is added, one that leaves it is deleted as it was', async () => {
  const events = await watchEvents(`${CONFIG_MAPS}?watch=1&labelSelector=on%3Dyes`, 4, async () => {
    await create('s-1', { on: 'no' });
    await put('s-1', { on: 'yes' }, '1');
    await put('s-1', { on: 'yes' }, '2');
    await put('s-1', { on: 'no' }, '3');
    await create('s-2', { on: 'yes' });
  });
  assert.deepEqual(shown(events), ['ADDED s-1', 'MODIFIED s-1', 'DELETED s-1', 'ADDED s-2']);
  assert.equal(textAt(events[2], 'object', 'data', 'n'), '2');
  for (const name of ['s-1', 's-2']) await remove(name);
});

test('a watch without a version begins with the present', async () => {
  await create('p-1');
  assert.deepEqual(shown(await watchEvents(`${CONFIG_MAPS}?watch=1`, 1)), ['ADDED p-1']);
  await remove('p-1');
});

test('a watch ends when its time is over', async () => {
  const started = Date.now();
  const { code } = await api.call('GET', `${CONFIG_MAPS}?watch=1&timeoutSeconds=1`);
  assert.equal(code, 200);
  assert.ok(Date.now() - started < 3000);
});

test('versions survive a restart: a watch resumes without a gap, one from before compaction is told to list again', async () => {
  const store = new MemoryStore();
  const first = await startTestServer({ store });
  const { at } = await first.call('POST', CONFIG_MAPS, { body: { metadata: { name: 'r-1' } } });
  await first.call('POST', CONFIG_MAPS, { body: { metadata: { name: 'r-2' } } });
  // The store outlives this server; disposing a MemoryStore is the test's own business.
  await first[Symbol.asyncDispose]();
  const outer = api;
  api = await startTestServer({ store });
  try {
    const resumed = await watchEvents(`${CONFIG_MAPS}?watch=1&resourceVersion=${at('metadata.resourceVersion')}`, 1);
    assert.deepEqual(shown(resumed), ['ADDED r-2']);
    await api[Symbol.asyncDispose]();
    await store.compact(store.revision);
    api = await startTestServer({ store });
    const expired = await watchEvents(`${CONFIG_MAPS}?watch=1&resourceVersion=${at('metadata.resourceVersion')}`, 1);
    assert.deepEqual([textAt(expired[0], 'type'), fieldAt(expired[0], 'object', 'code')], ['ERROR', 410]);
    const list = await api.call('GET', `${CONFIG_MAPS}?resourceVersion=1&resourceVersionMatch=Exact`);
    assert.deepEqual([list.code, list.at('reason')], [410, 'Expired']);
  } finally {
    await api[Symbol.asyncDispose]();
    api = outer;
  }
});

test('a large collection comes in parts, with what changes meanwhile after it and nothing twice', async () => {
  const big = 'x'.repeat(20_000);
  for (let i = 0; i < 250; i++) {
    const metadata = { name: `l-${i}`, namespace: 'default', labels: { large: 'a' } };
    await api.client.create(CONFIG_MAP_RESOURCE, { metadata, data: { big } });
  }
  const query =
    'watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=large';
  const events = await watchEvents(`${CONFIG_MAPS}?${query}`, 252, async () => {
    await api.call('PATCH', `${CONFIG_MAPS}/l-0`, {
      body: { data: { big: '' } },
      headers: { 'content-type': 'application/merge-patch+json' },
    });
  });
  const kinds = shown(events);
  assert.equal(new Set(kinds.slice(0, 250)).size, 250);
  assert.deepEqual(kinds.slice(250), ['BOOKMARK', 'MODIFIED l-0']);
});
