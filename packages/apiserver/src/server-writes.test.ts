import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestServer, type TestServer } from './testdata/test-server.ts';

let api: TestServer;
before(async () => {
  api = await startTestServer();
  await api.call('POST', `${NS}/serviceaccounts`, { body: { metadata: { name: 'default' } } });
});
after(() => api[Symbol.asyncDispose]());

const NS = '/api/v1/namespaces/default';
const APPS = '/apis/apps/v1/namespaces/default';
const type = (name: string) => ({ 'content-type': `application/${name}` });
const pod = (name: string, spec: object = {}) => ({
  metadata: { name, labels: { app: name } },
  spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
});
const deployment = (name: string) => ({
  metadata: { name },
  spec: {
    replicas: 1,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
});

test('a created object has identity and defaults; creating it again is 409 AlreadyExists', async () => {
  const created = await api.call('POST', `${APPS}/deployments`, { body: deployment('a') });
  assert.equal(created.code, 201);
  assert.match(String(created.at('metadata.uid')), /^[0-9a-f-]{36}$/);
  assert.deepEqual([created.at('metadata.generation'), created.at('spec.strategy.type')], [1, 'RollingUpdate']);
  const again = await api.call('POST', `${APPS}/deployments`, { body: deployment('a') });
  assert.deepEqual([again.code, again.at('message')], [409, 'deployments.apps "a" already exists']);
});

test('generateName completes the name with five characters', async () => {
  const { code, at } = await api.call('POST', `${NS}/configmaps`, { body: { metadata: { generateName: 'gen-' } } });
  assert.equal(code, 201);
  assert.match(String(at('metadata.name')), /^gen-[a-z0-9]{5}$/);
});

test('wrong names, kinds and namespaces are refused with where and what', async () => {
  const bad = await api.call('POST', `${NS}/configmaps`, { body: { metadata: { name: 'Not_Valid' } } });
  assert.deepEqual([bad.code, bad.at('details.causes.0.field')], [422, 'metadata.name']);
  const kind = await api.call('POST', `${NS}/configmaps`, { body: { kind: 'Secret', metadata: { name: 'a' } } });
  assert.equal(kind.code, 400);
  const place = await api.call('POST', `${NS}/configmaps`, { body: { metadata: { name: 'a', namespace: 'other' } } });
  assert.equal(place.code, 400);
  const missing = await api.call('POST', '/api/v1/namespaces/none/configmaps', { body: { metadata: { name: 'a' } } });
  assert.deepEqual([missing.code, missing.at('message')], [404, 'namespaces "none" not found']);
  assert.equal((await api.call('POST', `${NS}/configmaps`, { body: '{"a":' })).code, 400);
});

test('unknown and duplicate fields: refused when strict, warned of by default, ignored when asked', async () => {
  const body = '{"metadata":{"name":"fields"},"data":{"a":"1","a":"2"},"datas":{}}';
  const post = (validation: string) =>
    api.call('POST', `${NS}/configmaps?dryRun=All&fieldValidation=${validation}`, { body });
  const strict = await post('Strict');
  assert.equal(strict.code, 400);
  assert.match(String(strict.at('message')), /duplicate field "data.a".*unknown field "datas"/);
  assert.match(String((await post('Warn')).headers.warning), /^299 - "unknown field \\"datas\\""/);
  assert.equal((await post('Ignore')).headers.warning, undefined);
});

test('an update with a stale resourceVersion is 409, one without writes over', async () => {
  const { at } = await api.call('POST', `${NS}/configmaps`, { body: { metadata: { name: 'put' }, data: { n: '0' } } });
  const version = at('metadata.resourceVersion');
  const put = (resourceVersion: unknown, n: string) =>
    api.call('PUT', `${NS}/configmaps/put`, { body: { metadata: { name: 'put', resourceVersion }, data: { n } } });
  assert.equal((await put(version, '1')).code, 200);
  const stale = await put(version, '2');
  assert.deepEqual([stale.code, stale.at('reason')], [409, 'Conflict']);
  assert.match(String(stale.at('message')), /the object has been modified; please apply your changes/);
  assert.equal((await put(undefined, '3')).at('data.n'), '3');
});

test('an update that changes nothing keeps the resourceVersion', async () => {
  const body = { metadata: { name: 'same' }, data: { n: '0' } };
  const created = await api.call('POST', `${NS}/configmaps`, { body });
  const put = await api.call('PUT', `${NS}/configmaps/same`, { body });
  assert.equal(put.at('metadata.resourceVersion'), created.at('metadata.resourceVersion'));
});

test('generation counts changes of the spec, not of metadata or status', async () => {
  await api.call('POST', `${APPS}/deployments`, { body: deployment('generation') });
  const path = `${APPS}/deployments/generation`;
  const patch = (at: string, body: object) =>
    api
      .call('PATCH', at, { body, headers: type('merge-patch+json') })
      .then((result) => result.at('metadata.generation'));
  assert.equal(await patch(path, { metadata: { labels: { x: 'y' } } }), 1);
  assert.equal(await patch(path, { spec: { replicas: 5 } }), 2);
  assert.equal(await patch(`${path}/status`, { status: { replicas: 5 } }), 2);
});

test('status and the rest are written through different paths', async () => {
  const path = `${APPS}/deployments/split`;
  await api.call('POST', `${APPS}/deployments`, { body: { ...deployment('split'), status: { replicas: 9 } } });
  assert.equal((await api.call('GET', path)).at('status.replicas'), undefined);
  const merge = { headers: type('merge-patch+json'), body: { spec: { replicas: 4 }, status: { replicas: 3 } } };
  const status = await api.call('PATCH', `${path}/status`, merge);
  assert.deepEqual([status.at('spec.replicas'), status.at('status.replicas')], [1, 3]);
  const main = await api.call('PATCH', path, { ...merge, body: { spec: { replicas: 4 }, status: { replicas: 8 } } });
  assert.deepEqual([main.at('spec.replicas'), main.at('status.replicas')], [4, 3]);
});

test('JSON, merge and strategic merge patches, each in its own way with a list', async () => {
  await api.call('POST', `${APPS}/deployments`, { body: deployment('patched') });
  const path = `${APPS}/deployments/patched`;
  const containers = { spec: { template: { spec: { containers: [{ name: 'd', image: 'j' }] } } } };
  const strategic = await api.call('PATCH', path, { body: containers, headers: type('strategic-merge-patch+json') });
  assert.equal(strategic.at('spec.template.spec.containers.1.name'), 'd');
  const merge = await api.call('PATCH', path, { body: containers, headers: type('merge-patch+json') });
  assert.equal(merge.at('spec.template.spec.containers.1'), undefined);
  const operation = { op: 'replace', path: '/spec/replicas', value: 7 };
  const json = await api.call('PATCH', path, { body: [operation], headers: type('json-patch+json') });
  assert.equal(json.at('spec.replicas'), 7);
  const failing = await api.call('PATCH', path, {
    body: [
      { ...operation, op: 'test' },
      { op: 'remove', path: '/nope' },
    ],
    headers: type('json-patch+json'),
  });
  assert.equal(failing.code, 422);
  assert.equal((await api.call('PATCH', path, { body: {}, headers: type('json') })).code, 415);
});

test('server-side apply creates, owns, conflicts and is forced', async () => {
  const path = `${NS}/configmaps/applied`;
  const apply = (manager: string, n: string, force = false) =>
    api.call('PATCH', `${path}?fieldManager=${manager}&force=${force}`, {
      headers: type('apply-patch+yaml'),
      body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data: { n } },
    });
  assert.equal((await apply('one', '1')).code, 201);
  const conflict = await apply('two', '2');
  assert.deepEqual([conflict.code, conflict.at('details.causes.0.reason')], [409, 'FieldManagerConflict']);
  assert.match(String(conflict.at('message')), /conflict with "one": \.data\.n/);
  const forced = await apply('two', '2', true);
  assert.deepEqual([forced.code, forced.at('data.n')], [200, '2']);
  const anonymous = await api.call('PATCH', path, {
    headers: type('apply-patch+yaml'),
    body: { apiVersion: 'v1', kind: 'ConfigMap' },
  });
  assert.equal(anonymous.code, 422);
});

test('concurrent patches without a version all succeed', async () => {
  await api.call('POST', `${NS}/configmaps`, { body: { metadata: { name: 'contended' }, data: {} } });
  const results = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      api.call('PATCH', `${NS}/configmaps/contended`, {
        headers: type('merge-patch+json'),
        body: { data: { [`k${i}`]: '1' } },
      }),
    ),
  );
  assert.deepEqual(new Set(results.map(({ code }) => code)), new Set([200]));
  const { at } = await api.call('GET', `${NS}/configmaps/contended`);
  assert.equal(Object.keys(at('data') as object).length, 10);
});

test('a dry run answers as if, and leaves nothing', async () => {
  const { code } = await api.call('POST', `${NS}/services?dryRun=All`, {
    body: { metadata: { name: 'dry' }, spec: { ports: [{ port: 80 }] } },
  });
  assert.equal(code, 201);
  assert.equal((await api.call('GET', `${NS}/services/dry`)).code, 404);
});

test('deletion honours preconditions, finalizers and propagation policy', async () => {
  const path = `${NS}/configmaps/final`;
  await api.call('POST', `${NS}/configmaps`, {
    body: { metadata: { name: 'final', finalizers: ['example.com/keep'] } },
  });
  const wrong = await api.call('DELETE', path, { body: { preconditions: { uid: 'other' } } });
  assert.equal(wrong.code, 409);
  const marked = await api.call('DELETE', path, { body: { propagationPolicy: 'Foreground' } });
  assert.deepEqual(marked.at('metadata.finalizers'), ['example.com/keep', 'foregroundDeletion']);
  assert.ok(marked.at('metadata.deletionTimestamp'));
  const patch = (finalizers: string[]) =>
    api.call('PATCH', path, { headers: type('merge-patch+json'), body: { metadata: { finalizers } } });
  assert.equal((await patch(['example.com/new'])).code, 422);
  assert.equal((await patch([])).code, 200);
  assert.equal((await api.call('GET', path)).code, 404);
});

test('a pod on a node waits for its node; a second deletion may only shorten the grace', async () => {
  await api.call('POST', `${NS}/pods`, { body: pod('graceful') });
  const bound = await api.call('POST', `${NS}/pods/graceful/binding`, {
    body: { target: { kind: 'Node', name: 'n1' } },
  });
  assert.equal(bound.code, 201);
  const twice = await api.call('POST', `${NS}/pods/graceful/binding`, {
    body: { target: { kind: 'Node', name: 'n2' } },
  });
  assert.equal(twice.code, 409);
  const marked = await api.call('DELETE', `${NS}/pods/graceful`);
  assert.deepEqual([marked.code, marked.at('metadata.deletionGracePeriodSeconds')], [200, 30]);
  const longer = await api.call('DELETE', `${NS}/pods/graceful`, { body: { gracePeriodSeconds: 60 } });
  assert.equal(longer.at('metadata.deletionGracePeriodSeconds'), 30);
  await api.call('DELETE', `${NS}/pods/graceful?gracePeriodSeconds=0`);
  assert.equal((await api.call('GET', `${NS}/pods/graceful`)).code, 404);
});

test('a pod without a node goes at once, and admission gave it account, token, tolerations and priority', async () => {
  const { at } = await api.call('POST', `${NS}/pods`, { body: pod('admitted') });
  assert.deepEqual(
    [at('spec.serviceAccountName'), at('spec.priority'), at('status.qosClass')],
    ['default', 0, 'BestEffort'],
  );
  assert.equal(at('spec.volumes.0.projected.sources.1.configMap.name'), 'kube-root-ca.crt');
  assert.equal(at('spec.containers.0.volumeMounts.0.mountPath'), '/var/run/secrets/kubernetes.io/serviceaccount');
  assert.equal(at('spec.tolerations.0.tolerationSeconds'), 300);
  const none = await api.call('POST', `${NS}/pods`, { body: pod('no-account', { serviceAccountName: 'none' }) });
  assert.equal(none.code, 403);
  await api.call('DELETE', `${NS}/pods/admitted`);
  assert.equal((await api.call('GET', `${NS}/pods/admitted`)).code, 404);
});

test('deletecollection removes what the selector selects', async () => {
  for (const name of ['dc-a', 'dc-b'])
    await api.call('POST', `${NS}/configmaps`, { body: { metadata: { name, labels: { name } } } });
  await api.call('DELETE', `${NS}/configmaps?labelSelector=name%3Ddc-a`);
  assert.equal((await api.call('GET', `${NS}/configmaps/dc-a`)).code, 404);
  assert.equal((await api.call('GET', `${NS}/configmaps/dc-b`)).code, 200);
});

test('a namespace goes in two steps and takes nothing new meanwhile', async () => {
  await api.call('POST', '/api/v1/namespaces', { body: { metadata: { name: 'leaving' } } });
  const marked = await api.call('DELETE', '/api/v1/namespaces/leaving');
  assert.deepEqual([marked.at('status.phase'), marked.at('spec.finalizers')], ['Terminating', ['kubernetes']]);
  const refused = await api.call('POST', '/api/v1/namespaces/leaving/configmaps', {
    body: { metadata: { name: 'a' } },
  });
  assert.deepEqual([refused.code, refused.at('details.causes.0.reason')], [403, 'NamespaceTerminating']);
  await api.call('PUT', '/api/v1/namespaces/leaving/finalize', { body: { metadata: { name: 'leaving' }, spec: {} } });
  assert.equal((await api.call('GET', '/api/v1/namespaces/leaving')).code, 404);
  assert.equal((await api.call('DELETE', '/api/v1/namespaces/default')).code, 403);
});

test('scale is read and written for every kind that has replicas', async () => {
  await api.call('POST', `${APPS}/deployments`, { body: deployment('scaled') });
  const path = `${APPS}/deployments/scaled/scale`;
  assert.deepEqual(
    [(await api.call('GET', path)).at('spec.replicas'), (await api.call('GET', path)).at('status.selector')],
    [1, 'app=scaled'],
  );
  const patched = await api.call('PATCH', path, { body: { spec: { replicas: 4 } }, headers: type('merge-patch+json') });
  assert.deepEqual([patched.code, patched.at('spec.replicas')], [200, 4]);
  assert.equal(
    (await api.call('PUT', path, { body: { metadata: { name: 'scaled' }, spec: { replicas: 2 } } })).at(
      'spec.replicas',
    ),
    2,
  );
});

test('a disruption budget that allows nothing holds off evictions with 429', async () => {
  await api.call('POST', `${NS}/pods`, { body: pod('guarded', { nodeName: 'n1' }) });
  await api.call('PATCH', `${NS}/pods/guarded/status`, {
    body: { status: { phase: 'Running' } },
    headers: type('merge-patch+json'),
  });
  const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets';
  await api.call('POST', budgets, {
    body: { metadata: { name: 'b' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'guarded' } } } },
  });
  const allow = (disruptionsAllowed: number) =>
    api.call('PATCH', `${budgets}/b/status`, {
      headers: type('merge-patch+json'),
      body: {
        status: { disruptionsAllowed, observedGeneration: 1, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 },
      },
    });
  const evict = () => api.call('POST', `${NS}/pods/guarded/eviction`, { body: { metadata: { name: 'guarded' } } });
  await allow(0);
  const refused = await evict();
  assert.deepEqual([refused.code, refused.at('details.causes.0.reason')], [429, 'DisruptionBudget']);
  await allow(1);
  assert.equal((await evict()).code, 201);
  assert.equal((await api.call('GET', `${budgets}/b`)).at('status.disruptionsAllowed'), 0);
  assert.ok((await api.call('GET', `${NS}/pods/guarded`)).at('metadata.deletionTimestamp'));
});

test('core and events.k8s.io events are one object under two names', async () => {
  const body = {
    metadata: { name: 'e' },
    involvedObject: { kind: 'Pod', namespace: 'default', name: 'p' },
    reason: 'Started',
    message: 'hello',
    type: 'Normal',
  };
  await api.call('POST', `${NS}/events`, { body });
  const other = await api.call('GET', '/apis/events.k8s.io/v1/namespaces/default/events/e');
  assert.deepEqual(
    [other.at('apiVersion'), other.at('note'), other.at('regarding.name')],
    ['events.k8s.io/v1', 'hello', 'p'],
  );
  const selected = await api.call('GET', `${NS}/events?fieldSelector=involvedObject.name%3Dp,reason%3DStarted`);
  assert.equal(selected.at('items.0.message'), 'hello');
});

test('ServiceAccount tokens work, name who carries them, and end with what they are bound to', async () => {
  await api.call('POST', '/api/v1/namespaces/kube-system/serviceaccounts', { body: { metadata: { name: 'robot' } } });
  const request = (path: string, spec: object) => api.call('POST', `${path}/token`, { body: { spec } });
  const issued = await request('/api/v1/namespaces/kube-system/serviceaccounts/robot', {});
  const token = String(issued.at('status.token'));
  assert.equal((await api.call('GET', '/api/v1/nodes', { token })).code, 200);
  const who = await api.call('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', { token, body: {} });
  assert.equal(who.at('status.userInfo.username'), 'system:serviceaccount:kube-system:robot');
  assert.equal((await request(`${NS}/serviceaccounts/default`, { expirationSeconds: 5 })).code, 422);

  await api.call('POST', `${NS}/pods`, { body: pod('owner', { nodeName: 'n1' }) });
  const bound = await request(`${NS}/serviceaccounts/default`, {
    boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'owner' },
    audiences: ['vault'],
  });
  const review = () =>
    api.call('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
      body: { spec: { token: bound.at('status.token'), audiences: ['vault'] } },
    });
  assert.deepEqual((await review()).at('status.user.extra.authentication.kubernetes.io/pod-name'), undefined);
  assert.equal((await review()).at('status.authenticated'), true);
  assert.equal(
    (await api.call('GET', '/api', { token: String(bound.at('status.token')) })).code,
    401,
    'another audience',
  );
  await api.call('DELETE', `${NS}/pods/owner?gracePeriodSeconds=0`);
  assert.equal((await review()).at('status.authenticated'), false);
});
