import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startTestServer, type TestServer } from './testdata/test-server.ts';

let api: TestServer;
before(async () => {
  api = await startTestServer();
});
after(() => api[Symbol.asyncDispose]());

const SERVICES = '/api/v1/namespaces/default/services';
const create = (name: string, spec: object) => api.call('POST', SERVICES, { body: { metadata: { name }, spec } });
const patch = (name: string, spec: object) =>
  api.call('PATCH', `${SERVICES}/${name}`, {
    body: { spec },
    headers: { 'content-type': 'application/merge-patch+json' },
  });
const ports = [{ port: 80 }];

test('a ClusterIP Service gets an address of the dynamic band and every default', async () => {
  const { at } = await create('plain', { ports, selector: { app: 'a' } });
  assert.match(String(at('spec.clusterIP')), /^10\.43\./);
  assert.deepEqual(at('spec.clusterIPs'), [at('spec.clusterIP')]);
  assert.deepEqual(
    [
      at('spec.type'),
      at('spec.ports.0.protocol'),
      at('spec.ports.0.targetPort'),
      at('spec.sessionAffinity'),
      at('spec.internalTrafficPolicy'),
    ],
    ['ClusterIP', 'TCP', 80, 'None', 'Cluster'],
  );
  assert.deepEqual(
    [at('spec.ipFamilyPolicy'), at('spec.ipFamilies'), at('status')],
    ['SingleStack', ['IPv4'], { loadBalancer: {} }],
  );
});

test('a chosen address is kept, refused when taken, and free again after deletion', async () => {
  assert.equal((await create('chosen', { ports, clusterIP: '10.43.0.50' })).at('spec.clusterIPs.0'), '10.43.0.50');
  const taken = await create('second', { ports, clusterIP: '10.43.0.50' });
  assert.equal(taken.code, 422);
  assert.equal(
    taken.at('message'),
    'Service "second" is invalid: spec.clusterIPs: Invalid value: ["10.43.0.50"]: failed to allocate IP 10.43.0.50: provided IP is already allocated',
  );
  await api.call('DELETE', `${SERVICES}/chosen`);
  assert.equal((await create('second', { ports, clusterIP: '10.43.0.50' })).code, 201);
  const outside = await create('outside', { ports, clusterIP: '192.0.2.1' });
  assert.match(String(outside.at('message')), /the provided network does not match the current range$/);
  const broadcast = await create('broadcast', { ports, clusterIP: '10.43.255.255' });
  assert.match(String(broadcast.at('message')), /is not in the valid range. The range of valid IPs is 10.43.0.0\/16$/);
  const changed = await patch('second', { clusterIP: '10.43.0.51', clusterIPs: ['10.43.0.51'] });
  assert.match(
    String(changed.at('message')),
    /spec.clusterIPs\[0\]: Invalid value: \["10.43.0.51"\]: may not change once set/,
  );
});

test('node ports: automatic ones in range, chosen ones once, TCP and UDP of one port share theirs', async () => {
  const { at } = await create('np', {
    type: 'NodePort',
    ports: [
      { name: 'a', port: 53 },
      { name: 'b', port: 53, protocol: 'UDP' },
    ],
  });
  assert.equal(at('spec.ports.0.nodePort'), at('spec.ports.1.nodePort'));
  assert.ok(Number(at('spec.ports.0.nodePort')) >= 30086);
  const fixed = { type: 'NodePort', ports: [{ port: 80, nodePort: 30007 }] };
  assert.equal((await create('np-fixed', fixed)).at('spec.ports.0.nodePort'), 30007);
  assert.match(
    String((await create('np-taken', fixed)).at('message')),
    /spec.ports\[0\].nodePort: Invalid value: 30007: provided port is already allocated$/,
  );
  assert.match(
    String((await create('np-range', { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] })).at('message')),
    /provided port is not in the valid range. The range of valid ports is 30000-32767$/,
  );
});

test('a change of type gives back what the old type held', async () => {
  const lb = await create('turn', {
    type: 'LoadBalancer',
    ports: [{ port: 80, nodePort: 30020 }],
    externalTrafficPolicy: 'Local',
  });
  assert.equal(lb.at('spec.allocateLoadBalancerNodePorts'), true);
  assert.ok(Number(lb.at('spec.healthCheckNodePort')) > 0);
  const plain = await patch('turn', { type: 'ClusterIP' });
  assert.equal(plain.code, 200, plain.text);
  for (const gone of [
    'ports.0.nodePort',
    'healthCheckNodePort',
    'externalTrafficPolicy',
    'allocateLoadBalancerNodePorts',
  ]) {
    assert.equal(plain.at(`spec.${gone}`), undefined, gone);
  }
  assert.equal((await create('heir', { type: 'NodePort', ports: [{ port: 80, nodePort: 30020 }] })).code, 201);
  const external = await patch('turn', { type: 'ExternalName', externalName: 'example.com' });
  assert.equal(external.code, 200, external.text);
  assert.equal(external.at('spec.clusterIP'), undefined);
});

test('an update that leaves out address and node ports keeps them', async () => {
  const before = await create('kept', { type: 'NodePort', ports });
  const after = await api.call('PUT', `${SERVICES}/kept`, {
    body: { metadata: { name: 'kept' }, spec: { type: 'NodePort', ports } },
  });
  assert.equal(after.at('spec.clusterIP'), before.at('spec.clusterIP'));
  assert.equal(after.at('spec.ports.0.nodePort'), before.at('spec.ports.0.nodePort'));
});

test('a LoadBalancer may do without node ports', async () => {
  const { at } = await create('bare', { type: 'LoadBalancer', ports, allocateLoadBalancerNodePorts: false });
  assert.equal(at('spec.ports.0.nodePort'), undefined);
});

test('headless Services have no address, and their families are open when they have no selector', async () => {
  const { at } = await create('headless', { clusterIP: 'None', ports });
  assert.deepEqual(
    [at('spec.clusterIPs'), at('spec.ipFamilyPolicy'), at('spec.ipFamilies')],
    [['None'], 'RequireDualStack', ['IPv4', 'IPv6']],
  );
});

test('what the cluster has not is refused: dual stack, IPv6', async () => {
  const dual = await create('dual', { ports, selector: { a: 'b' }, ipFamilyPolicy: 'RequireDualStack' });
  assert.match(
    String(dual.at('message')),
    /"RequireDualStack": this cluster is not configured for dual-stack services/,
  );
  const six = await create('six', { ports, selector: { a: 'b' }, ipFamilies: ['IPv6'] });
  assert.match(
    String(six.at('message')),
    /spec.ipFamilies\[0\]: Invalid value: "IPv6": not configured on this cluster/,
  );
});

test('several problems are reported at once', async () => {
  const { code, at } = await create('many', { ports: [{ port: 80 }, { port: 0 }], externalTrafficPolicy: 'Local' });
  assert.equal(code, 422);
  assert.match(String(at('message')), /^Service "many" is invalid: \[.*spec\.ports\[0\]\.name: Required value.*\]$/);
});

test('the status of a load balancer is written through its own path', async () => {
  await create('balanced', { type: 'LoadBalancer', ports });
  const { code, at } = await api.call('PATCH', `${SERVICES}/balanced/status`, {
    headers: { 'content-type': 'application/merge-patch+json' },
    body: { status: { loadBalancer: { ingress: [{ ip: '192.0.2.200' }] } } },
  });
  assert.deepEqual([code, at('status.loadBalancer.ingress.0.ipMode')], [200, 'VIP']);
});
