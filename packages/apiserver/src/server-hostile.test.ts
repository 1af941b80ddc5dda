import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { connect } from 'node:tls';
import { pem, startTestServer, type TestServer } from './testdata/test-server.ts';

// What clients and pods send that nobody sends by accident.
let api: TestServer;
const NS = '/api/v1/namespaces/default';
const CRDS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

before(async () => {
  api = await startTestServer();
});
after(() => api[Symbol.asyncDispose]());

async function createPodAt(name: string, port: number): Promise<void> {
  await api.call('POST', `${NS}/serviceaccounts`, { body: { metadata: { name: 'default' } } });
  const containers = [{ name: 'main', image: 'i', ports: [{ containerPort: port }] }];
  await api.call('POST', `${NS}/pods`, { body: { metadata: { name }, spec: { containers } } });
  const status = { podIP: '127.0.0.1', podIPs: [{ ip: '127.0.0.1' }], phase: 'Running' };
  const { code } = await api.call('PATCH', `${NS}/pods/${name}/status`, {
    body: { status },
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  assert.equal(code, 200);
}

async function createDefinition(plural: string, schema: object): Promise<void> {
  const kind = plural.slice(0, 1).toUpperCase() + plural.slice(1);
  const { code } = await api.call('POST', CRDS, {
    body: {
      metadata: { name: `${plural}.example.com` },
      spec: {
        group: 'example.com',
        scope: 'Cluster',
        names: { plural, kind },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
      },
    },
  });
  assert.equal(code, 201);
}

test('a pod that answers with a status HTTP/2 does not have gives 503', async () => {
  const pod = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end('HTTP/1.1 700 Odd\r\ncontent-length: 2\r\n\r\nhi'));
  }).listen(0, '127.0.0.1');
  await once(pod, 'listening');
  await createPodAt('odd', (pod.address() as AddressInfo).port);
  const [ca, cert, key] = await Promise.all([pem('ca.crt'), pem('admin.crt'), pem('admin.key')]);
  const session = connectHttp2(api.url, { ca, cert, key });
  const stream = session.request({ ':path': `${NS}/pods/odd/proxy/` });
  const [headers] = await once(stream, 'response');
  assert.equal(headers[':status'], 503);
  session.destroy();
  pod.close();
});

test('the token of a WebSocket stays with the server', async () => {
  const heard = Promise.withResolvers<string>();
  const pod = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (chunk) => {
      heard.resolve(String(chunk));
      socket.end('HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n');
    });
  }).listen(0, '127.0.0.1');
  await once(pod, 'listening');
  await createPodAt('ear', (pod.address() as AddressInfo).port);
  const [ca, cert, key] = await Promise.all([pem('ca.crt'), pem('admin.crt'), pem('admin.key')]);
  const { port } = api.server.address;
  const socket = connect({ host: '127.0.0.1', port, ca, cert, key, ALPNProtocols: ['http/1.1'] });
  socket.on('error', () => {});
  socket.write(
    `GET ${NS}/pods/ear/proxy/ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: base64url.bearer.authorization.k8s.io.c2VjcmV0, chat\r\n\r\n`,
  );
  const text = await heard.promise;
  assert.match(text, /sec-websocket-protocol: chat\r\n/i);
  assert.doesNotMatch(text, /c2VjcmV0/);
  socket.destroy();
  pod.close();
});

test('a field named __proto__ is refused, however it is written', async () => {
  for (const name of ['__proto__', '\\u005f_proto__']) {
    const patch = `{"metadata":{"${name}":{"annotations":{"a":5}}}}`;
    const body = `{"metadata":{"name":"proto","${name}":{"annotations":{"a":5}}}}`;
    assert.equal((await api.call('POST', `${NS}/configmaps`, { body })).code, 400);
    const { code } = await api.call('PATCH', '/api/v1/namespaces/default', {
      body: patch,
      headers: { 'content-type': 'application/strategic-merge-patch+json' },
    });
    assert.equal(code, 400);
  }
});

test('fields whose names are numbers do not come before metadata', async () => {
  await createDefinition('odds', { type: 'object', 'x-kubernetes-preserve-unknown-fields': true });
  const path = '/apis/example.com/v1/odds';
  const body = { kind: 'Odds', apiVersion: 'example.com/v1', metadata: { name: 'a' }, 7: { metadata: { x: 1 } } };
  const made = await api.call('POST', path, { body });
  assert.equal(made.code, 201, made.text);
  assert.match(String(made.at('metadata.resourceVersion')), /^\d+$/);
  assert.deepEqual(made.at('7'), { metadata: { x: 1 } });
});

test('many unknown fields do not make headers that clients refuse', async () => {
  const names = Array.from({ length: 100 }, (_, i) => `${'x'.repeat(300)}${i}`);
  const body = { metadata: { name: 'warned' }, ...Object.fromEntries(names.map((name) => [name, 1])) };
  const { code, headers } = await api.call('POST', `${NS}/configmaps`, { body });
  assert.equal(code, 201);
  const warning = String(headers.warning);
  assert.ok(warning.length > 1000 && warning.length < 5000, String(warning.length));
});

test('impersonation is obeyed, or refused', async () => {
  const as = (user: string, headers: Record<string, string>) => api.call('GET', `${NS}/configmaps`, { user, headers });
  assert.equal((await as('admin', { 'impersonate-user': 'jane' })).code, 403);
  assert.equal((await as('admin', { 'impersonate-user': 'jane', 'impersonate-group': 'system:masters' })).code, 200);
  assert.equal(
    (await as('developer', { 'impersonate-user': 'admin', 'impersonate-group': 'system:masters' })).code,
    403,
  );
  assert.equal((await as('admin', { 'impersonate-group': 'system:masters' })).code, 400);
  const review = await api.call('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
    body: {},
    headers: { 'impersonate-user': 'system:serviceaccount:a:b' },
  });
  assert.deepEqual(review.at('status.userInfo.groups'), [
    'system:serviceaccounts',
    'system:serviceaccounts:a',
    'system:authenticated',
  ]);
});

test('a name that the store could not keep is refused', async () => {
  for (const name of ['a\0b', 'a\ud800']) {
    const body = { metadata: { name }, rules: [] };
    const { code } = await api.call('POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', { body });
    assert.equal(code, 422, JSON.stringify(name));
  }
});

test('a continue token that claims a revision to come is refused politely', async () => {
  const token = Buffer.from(JSON.stringify({ v: 'ballast/1', rv: 1e12, after: 'a' })).toString('base64url');
  const { code } = await api.call('GET', `/api/v1/configmaps?limit=1&continue=${token}`);
  assert.equal(code, 504);
});

test('a definition named as a built-in resource neither replaces it nor takes its objects along', async () => {
  const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
  assert.equal((await api.call('POST', leases, { body: { metadata: { name: 'held' } } })).code, 201);
  const schema = { openAPIV3Schema: { type: 'object' } };
  const definition = {
    metadata: { name: 'leases.coordination.k8s.io' },
    spec: {
      group: 'coordination.k8s.io',
      scope: 'Namespaced',
      names: { plural: 'leases', kind: 'Lease' },
      versions: [{ name: 'v1', served: true, storage: true, schema }],
    },
  };
  const path = `${CRDS}/leases.coordination.k8s.io`;
  const made = await api.call('POST', CRDS, { body: definition });
  assert.equal(made.code, 201, made.text);
  await api.call('DELETE', path);
  for (let tries = 0; tries < 200 && (await api.call('GET', path)).code !== 404; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.equal((await api.call('GET', path)).code, 404);
  assert.equal((await api.call('GET', `${leases}/held`)).code, 200);
});
