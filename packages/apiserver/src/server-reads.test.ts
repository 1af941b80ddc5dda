import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { MemoryStore } from '@ballast/store';
import { textAt } from './object/api-object.ts';
import { type CallResult, startTestServer, type TestServer } from './testdata/test-server.ts';

let api: TestServer;
before(async () => {
  api = await startTestServer();
});
after(() => api[Symbol.asyncDispose]());

const configMap = (name: string, extra: object = {}) => ({ metadata: { name, ...extra }, data: { n: name } });
const CONFIG_MAPS = '/api/v1/namespaces/default/configmaps';
const names = (result: CallResult) => listOf(result.at('items')).map((item) => textAt(item, 'metadata', 'name'));
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

test('health and version are public, everything else wants an identity, and a foreign certificate is refused', async () => {
  for (const path of ['/healthz', '/livez', '/readyz', '/version', '/readyz/ping']) {
    assert.equal((await api.call('GET', path, { user: '' })).code, 200, path);
  }
  for (const path of ['/api', '/apis', '/api/v1/pods', '/openapi/v3', '/', '/metrics']) {
    assert.equal((await api.call('GET', path, { user: '' })).code, 401, path);
  }
  assert.equal((await api.call('GET', '/api', { user: 'stranger' })).code, 401);
  assert.equal((await api.call('GET', '/api', { token: 'not.a.token' })).code, 401);
});

test('an identity without rights reads discovery and gets 403 in upstream words for the rest', async () => {
  assert.equal((await api.call('GET', '/apis', { user: 'developer' })).code, 200);
  const { code, at } = await api.call('GET', '/api/v1/namespaces/default/pods', { user: 'developer' });
  assert.equal(code, 403);
  assert.equal(
    at('message'),
    'pods is forbidden: User "jane" cannot list resource "pods" in API group "" in the namespace "default"',
  );
  const can = await api.call('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
    user: 'developer',
    body: { spec: { resourceAttributes: { verb: 'get', resource: 'pods' } } },
  });
  assert.deepEqual([can.code, can.at('status.allowed')], [201, false]);
});

test('verbose health names each check', async () => {
  assert.match((await api.call('GET', '/readyz?verbose')).text, /\[\+\]store ok\n.*readyz check passed/s);
});

test('discovery answers in both forms, with an ETag that spares the second answer', async () => {
  const legacy = await api.call('GET', '/api/v1');
  assert.ok(listOf(legacy.at('resources')).some((one) => textAt(one, 'name') === 'pods/status'));
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
  const aggregated = await api.call('GET', '/apis', { headers: { accept } });
  assert.equal(aggregated.at('kind'), 'APIGroupDiscoveryList');
  assert.match(String(aggregated.headers['content-type']), /apidiscovery/);
  const again = await api.call('GET', '/apis', {
    headers: { accept, 'if-none-match': String(aggregated.headers.etag) },
  });
  assert.deepEqual([again.code, again.text], [304, '']);
  assert.equal((await api.call('GET', '/apis/nothing.example.com')).code, 404);
});

test('what cannot be written as asked is 406, what cannot be read is 415, what is too large is 413', async () => {
  const protobuf = { accept: 'application/vnd.kubernetes.protobuf' };
  assert.equal((await api.call('GET', '/api/v1/nodes', { headers: protobuf })).code, 406);
  const cbor = await api.call('POST', CONFIG_MAPS, { body: 'x', headers: { 'content-type': 'application/cbor' } });
  assert.equal(cbor.code, 415);
  const large = await api.call('POST', CONFIG_MAPS, { body: `"${'x'.repeat(3 * 1024 * 1024)}"` });
  assert.equal(large.code, 413);
});

test('YAML is read and written', async () => {
  const yaml = { 'content-type': 'application/yaml', accept: 'application/yaml' };
  const created = await api.call('POST', CONFIG_MAPS, {
    body: 'metadata:\n  name: from-yaml\ndata: {a: "1"}\n',
    headers: yaml,
  });
  assert.equal(created.code, 201);
  assert.match(created.text, /^kind: ConfigMap\n.*a: "1"/s);
});

test('lists are consistent over pages, select by labels and fields, and refuse unknown fields', async () => {
  const path = '/api/v1/namespaces/pages/configmaps';
  await api.call('POST', '/api/v1/namespaces', { body: { metadata: { name: 'pages' } } });
  for (let i = 0; i < 7; i++)
    await api.call('POST', path, { body: configMap(`cm-${i}`, { labels: { odd: String(i % 2) } }) });
  const first = await api.call('GET', `${path}?limit=3`);
  assert.deepEqual(names(first), ['cm-0', 'cm-1', 'cm-2']);
  await api.call('DELETE', `${path}/cm-4`);
  await api.call('POST', path, { body: configMap('cm-3a') });
  const second = await api.call('GET', `${path}?limit=3&continue=${first.at('metadata.continue')}`);
  assert.deepEqual(names(second), ['cm-3', 'cm-4', 'cm-5']);
  assert.equal(second.at('metadata.resourceVersion'), first.at('metadata.resourceVersion'));
  const third = await api.call('GET', `${path}?limit=3&continue=${second.at('metadata.continue')}`);
  assert.deepEqual([names(third), third.at('metadata.continue')], [['cm-6'], undefined]);
  const exact = await api.call(
    'GET',
    `${path}?resourceVersion=${first.at('metadata.resourceVersion')}&resourceVersionMatch=Exact`,
  );
  assert.equal(exact.at('items.length'), 7);
  assert.deepEqual(names(await api.call('GET', `${path}?labelSelector=odd in (1)`.replaceAll(' ', '%20'))), [
    'cm-1',
    'cm-3',
    'cm-5',
  ]);
  assert.deepEqual(names(await api.call('GET', `${path}?fieldSelector=metadata.name%3Dcm-6`)), ['cm-6']);
  const unknown = await api.call('GET', `${path}?fieldSelector=spec.x%3D1`);
  assert.deepEqual([unknown.code, unknown.at('message')], [400, 'field label not supported: spec.x']);
  assert.equal((await api.call('GET', `${path}?continue=nonsense`)).code, 400);
});

test('a version that does not exist yet is awaited, then answered 504 with the cause that clients retry on', {
  timeout: 10_000,
}, async () => {
  const { code, at, headers } = await api.call('GET', `${CONFIG_MAPS}?resourceVersion=999999999`);
  assert.deepEqual(
    [code, at('details.causes.0.reason'), headers['retry-after']],
    [504, 'ResourceVersionTooLarge', '1'],
  );
});

test('metadata alone, and tables', async () => {
  const accept = (as: string) => ({ headers: { accept: `application/json;as=${as};g=meta.k8s.io;v=v1` } });
  const partial = await api.call('GET', '/api/v1/namespaces', accept('PartialObjectMetadataList'));
  assert.deepEqual([partial.at('kind'), partial.at('items.0.status')], ['PartialObjectMetadataList', undefined]);
  const table = await api.call('GET', '/api/v1/namespaces/default', accept('Table'));
  assert.deepEqual([table.at('kind'), table.at('rows.0.cells.0')], ['Table', 'default']);
});

test('big answers are compressed for those who accept it', async () => {
  for (let i = 0; i < 3; i++) {
    await api.call('POST', CONFIG_MAPS, { body: { metadata: { name: `big-${i}` }, data: { x: 'x'.repeat(60_000) } } });
  }
  const plain = await api.call('GET', CONFIG_MAPS);
  const packed = await api.call('GET', CONFIG_MAPS, { headers: { 'accept-encoding': 'gzip' } });
  assert.equal(plain.headers['content-encoding'], undefined);
  assert.equal(packed.headers['content-encoding'], 'gzip');
});

test('what is not there is a Status', async () => {
  const missing = await api.call('GET', '/apis/apps/v1/namespaces/default/deployments/x');
  assert.equal(missing.at('message'), 'deployments.apps "x" not found');
  assert.deepEqual(missing.at('details'), { name: 'x', group: 'apps', kind: 'deployments' });
  assert.equal((await api.call('GET', '/api/v1/unknowns')).code, 404);
  assert.equal((await api.call('PUT', '/api/v1/nodes')).code, 405);
  assert.equal((await api.call('GET', '/nothing')).code, 404);
});

test('the cluster has its namespaces and its own Service with endpoints', async () => {
  const namespaces = await api.call('GET', '/api/v1/namespaces');
  for (const name of ['default', 'kube-node-lease', 'kube-public', 'kube-system'])
    assert.ok(names(namespaces).includes(name));
  const service = await api.call('GET', '/api/v1/namespaces/default/services/kubernetes');
  assert.equal(service.at('spec.clusterIP'), '10.43.0.1');
  const slice = await api.call('GET', '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes');
  assert.deepEqual(
    [slice.at('endpoints.0.addresses'), slice.at('ports.0.port')],
    [['127.0.0.1'], api.server.address.port],
  );
});

test('a database that cannot be read makes the server unhealthy, and says which check failed', async () => {
  const store = new MemoryStore();
  await using broken = await startTestServer({ store });
  store.get = () => Promise.reject(new Error('disk I/O error'));
  const answer = await broken.call('GET', '/livez');
  assert.equal(answer.code, 500);
  assert.match(answer.text, /\[\+\]ping ok\n\[-\]store failed/);
});
