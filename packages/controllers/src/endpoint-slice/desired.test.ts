import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Node, Pod, Service } from '@ballast/kube';
import { nodeEndpoints, podEndpoints } from './desired.ts';
import { withHints } from './hints.ts';

const service: Service = {
  metadata: { name: 'web', namespace: 'default' },
  spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'web', protocol: 'TCP' }] },
};

function pod(name: string, options: { ready?: boolean; port?: number; ip?: string; deleted?: boolean } = {}): Pod {
  const { ready = true, port = 8080, ip = '10.42.0.5' } = options;
  return {
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      ...(options.deleted ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: {
      nodeName: 'node-1',
      hostname: name,
      subdomain: 'web',
      containers: [{ name: 'c', ports: [{ name: 'web', containerPort: port, protocol: 'TCP' }] }],
    },
    status: {
      phase: 'Running',
      podIP: ip,
      podIPs: [{ ip }, { ip: 'fd00::5' }],
      conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }],
    },
  };
}

const node: Node = { metadata: { name: 'node-1', labels: { 'topology.kubernetes.io/zone': 'z1' } } };
const lookup = () => node;
const conditionsOf = (...pods: Pod[]) =>
  podEndpoints(service, pods, lookup).flatMap(({ endpoints }) => endpoints.map(({ conditions }) => conditions));

suite('podEndpoints', () => {
  test('serving = pod ready, terminating = in deletion, ready = serving and not terminating', () => {
    assert.deepEqual(conditionsOf(pod('a')), [{ ready: true, serving: true, terminating: false }]);
    assert.deepEqual(conditionsOf(pod('a', { ready: false })), [{ ready: false, serving: false, terminating: false }]);
    assert.deepEqual(conditionsOf(pod('a', { deleted: true })), [{ ready: false, serving: true, terminating: true }]);
  });

  test('publishNotReadyAddresses makes every endpoint ready, even a terminating one', () => {
    const publishing = { ...service, spec: { ...service.spec, publishNotReadyAddresses: true } };
    const [group] = podEndpoints(publishing, [pod('a', { ready: false, deleted: true })], lookup);
    assert.deepEqual(group?.endpoints[0]?.conditions, { ready: true, serving: false, terminating: true });
  });

  test('node, zone, host name and the pod itself are named', () => {
    const [group] = podEndpoints(service, [pod('a')], lookup);
    const [endpoint] = group?.endpoints ?? [];
    assert.equal(endpoint?.nodeName, 'node-1');
    assert.equal(endpoint?.zone, 'z1');
    assert.equal(endpoint?.hostname, 'a');
    assert.deepEqual(endpoint?.targetRef, { kind: 'Pod', name: 'a', namespace: 'default', uid: 'uid-a' });
  });

  test('pods with different numbers for a named port are in different groups', () => {
    const groups = podEndpoints(service, [pod('a'), pod('b', { port: 9090 })], lookup);
    assert.deepEqual(groups.map(({ ports }) => ports[0]?.port).sort(), [8080, 9090]);
  });

  test('a pod without the named port, one that has finished, and one without an address are no endpoints', () => {
    const without = pod('a');
    if (without.spec) without.spec.containers = [{ name: 'c' }];
    const finished = pod('b');
    if (finished.status) finished.status.phase = 'Succeeded';
    const young = { ...pod('c'), status: { phase: 'Pending' as const } };
    assert.deepEqual(podEndpoints(service, [without, finished, young], lookup), []);
  });

  test('a dual-stack Service has a group for each family', () => {
    const dual: Service = { ...service, spec: { ...service.spec, ipFamilies: ['IPv4', 'IPv6'] } };
    const groups = podEndpoints(dual, [pod('a')], lookup);
    assert.deepEqual(
      groups.map(({ addressType, endpoints }) => [addressType, endpoints[0]?.addresses]),
      [
        ['IPv4', ['10.42.0.5']],
        ['IPv6', ['fd00::5']],
      ],
    );
  });

  test('a headless Service without ports has endpoints without ports', () => {
    const headless: Service = { metadata: service.metadata, spec: { selector: { app: 'web' }, clusterIP: 'None' } };
    const [group] = podEndpoints(headless, [pod('a')], lookup);
    assert.deepEqual([group?.ports.length, group?.endpoints.length], [0, 1]);
  });
});

suite('nodeEndpoints', () => {
  const nodeOf = (name: string, status: string): Node => ({
    metadata: { name, uid: name },
    status: {
      addresses: [
        { type: 'Hostname', address: name },
        { type: 'InternalIP', address: `192.0.2.${name.at(-1)}` },
      ],
      conditions: [{ type: 'Ready', status: status as 'True' }],
    },
  });
  const dns: Service = {
    metadata: { name: 'kube-dns' },
    spec: { ports: [{ name: 'dns', port: 53, targetPort: 10053, protocol: 'UDP' }] },
  };

  test('every ready node serves at its InternalIP', () => {
    const [group] = nodeEndpoints(dns, [nodeOf('n1', 'True'), nodeOf('n2', 'Unknown'), nodeOf('n3', 'True')]);
    assert.deepEqual(group?.ports, [{ name: 'dns', port: 10053, protocol: 'UDP' }]);
    assert.deepEqual(
      group?.endpoints.map(({ addresses, nodeName }) => [addresses[0], nodeName]),
      [
        ['192.0.2.1', 'n1'],
        ['192.0.2.3', 'n3'],
      ],
    );
  });

  test('when no node is ready, all of them are kept', () => {
    const [group] = nodeEndpoints(dns, [nodeOf('n1', 'Unknown'), nodeOf('n2', 'False')]);
    assert.equal(group?.endpoints.length, 2);
  });
});

suite('withHints', () => {
  const endpoint = { addresses: ['10.0.0.1'], conditions: { ready: true }, zone: 'z1', nodeName: 'n1' };
  const serviceWith = (trafficDistribution?: string): Service => ({
    metadata: { name: 'web' },
    spec: { ...(trafficDistribution ? { trafficDistribution } : {}) } as Service['spec'],
  });
  const CASES: readonly (readonly [string | undefined, unknown])[] = [
    [undefined, undefined],
    ['PreferClose', { forZones: [{ name: 'z1' }] }],
    ['PreferSameZone', { forZones: [{ name: 'z1' }] }],
    ['PreferSameNode', { forZones: [{ name: 'z1' }], forNodes: [{ name: 'n1' }] }],
  ];
  for (const [distribution, hints] of CASES) {
    test(`trafficDistribution ${distribution} gives hints ${JSON.stringify(hints)}`, () => {
      assert.deepEqual(withHints(serviceWith(distribution), endpoint).hints, hints);
    });
  }

  test('endpoints that are not ready have no hints', () => {
    const unready = { ...endpoint, conditions: { ready: false }, hints: { forZones: [{ name: 'z1' }] } };
    assert.equal(withHints(serviceWith('PreferSameNode'), unready).hints, undefined);
  });
});
