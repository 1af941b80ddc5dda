import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointSlice, Service } from '@ballast/kube';
import { compileService, isProxied, type NodeView } from './compile.ts';
import { elementsOf } from './frontend.ts';
import { SAMPLE_NODE, sampleService, sampleSlice } from './sample-services.ts';

/** The elements of a Service, one a line, as a person would read them. */
function elements(service: Service, slices: readonly EndpointSlice[], node: NodeView = SAMPLE_NODE): string[] {
  return compileService(service, slices, node)
    .units.flatMap((unit) => elementsOf(unit))
    .map(({ container, key, value }) => `${container} ${key}${value === '' ? '' : ` : ${value}`}`)
    .toSorted();
}

const LOCAL = { ip: '10.42.0.5', node: 'node-a' };
const REMOTE = { ip: '10.42.1.6', node: 'node-b' };

test('ClusterIP: one verdict, and a slot for each endpoint', () => {
  assert.deepEqual(elements(sampleService('web', { clusterIP: '10.43.0.9' }), [sampleSlice('web', [LOCAL, REMOTE])]), [
    'cluster-ips 10.43.0.9',
    'endpoints 10.43.0.9 . tcp . 80 . 0 : 10.42.0.5 . 8080',
    'endpoints 10.43.0.9 . tcp . 80 . 1 : 10.42.1.6 . 8080',
    'frontends 10.43.0.9 . tcp . 80 : goto pick-2',
    'hairpin 10.42.0.5 . 10.42.0.5',
  ]);
});

test('ClusterIP without endpoints is refused', () => {
  assert.deepEqual(elements(sampleService('web', { clusterIP: '10.43.0.9' }), []), [
    'cluster-ips 10.43.0.9',
    'frontends 10.43.0.9 . tcp . 80 : goto refuse',
  ]);
});

test('internalTrafficPolicy Local: endpoints of this node only, silence when there are none', () => {
  const service = sampleService('web', { clusterIP: '10.43.0.9', internalTrafficPolicy: 'Local' });
  assert.deepEqual(elements(service, [sampleSlice('web', [LOCAL, REMOTE])]), [
    'cluster-ips 10.43.0.9',
    'frontends 10.43.0.9 . tcp . 80 : goto pick-local-1',
    'hairpin 10.42.0.5 . 10.42.0.5',
    'local-endpoints 10.43.0.9 . tcp . 80 . 0 : 10.42.0.5 . 8080',
  ]);
  assert.deepEqual(elements(service, [sampleSlice('web', [REMOTE])]), [
    'cluster-ips 10.43.0.9',
    'frontends 10.43.0.9 . tcp . 80 : drop',
  ]);
  assert.ok(elements(service, []).includes('frontends 10.43.0.9 . tcp . 80 : goto refuse'));
});

test('NodePort answers on the addresses of the node, in the families of the Service', () => {
  const spec = { type: 'NodePort', clusterIP: '10.43.0.9', ports: [{ port: 80, nodePort: 30080 }] } as const;
  assert.deepEqual(
    elements(sampleService('web', { ...spec, ports: [...spec.ports] }), [sampleSlice('web', [REMOTE])]),
    [
      'cluster-ips 10.43.0.9',
      'endpoints 10.43.0.9 . tcp . 80 . 0 : 10.42.1.6 . 8080',
      'endpoints 192.0.2.11 . tcp . 30080 . 0 : 10.42.1.6 . 8080',
      'external 192.0.2.11 . tcp . 30080 : goto rewrite-source',
      'frontends 10.43.0.9 . tcp . 80 : goto pick-1',
      'frontends 192.0.2.11 . tcp . 30080 : goto pick-1',
    ].toSorted(),
  );
});

const balancer = (spec: Partial<NonNullable<Service['spec']>>, ipMode: 'VIP' | 'Proxy' = 'VIP') =>
  sampleService(
    'web',
    { type: 'LoadBalancer', clusterIP: '10.43.0.9', ...spec },
    { status: { loadBalancer: { ingress: [{ ip: '192.0.2.200', ipMode }] } } },
  );

test('LoadBalancer with policy Local: outside traffic stays here, pods and the node reach every endpoint', () => {
  assert.deepEqual(
    elements(balancer({ externalTrafficPolicy: 'Local' }), [sampleSlice('web', [LOCAL, REMOTE])]).filter((line) =>
      line.includes('192.0.2.200'),
    ),
    [
      'endpoints 192.0.2.200 . tcp . 80 . 0 : 10.42.0.5 . 8080',
      'endpoints 192.0.2.200 . tcp . 80 . 1 : 10.42.1.6 . 8080',
      'external 192.0.2.200 . tcp . 80 : goto rewrite-node-source',
      'frontends 192.0.2.200 . tcp . 80 : goto local-policy',
      'load-balancer-ips 192.0.2.200',
      'local-endpoints 192.0.2.200 . tcp . 80 . 0 : 10.42.0.5 . 8080',
      'local-policy 192.0.2.200 . tcp . 80 : goto pick-local-1',
      'short-circuit 192.0.2.200 . tcp . 80 : goto pick-2',
    ],
  );
});

test('LoadBalancer with policy Local: dropped without local endpoints, refused without any', () => {
  const service = balancer({ externalTrafficPolicy: 'Local' });
  const elsewhere = elements(service, [sampleSlice('web', [REMOTE])]);
  assert.ok(elsewhere.includes('local-policy 192.0.2.200 . tcp . 80 : drop'));
  assert.ok(elsewhere.includes('short-circuit 192.0.2.200 . tcp . 80 : goto pick-1'));
  const nowhere = elements(service, []);
  assert.ok(nowhere.includes('local-policy 192.0.2.200 . tcp . 80 : goto refuse'));
  assert.ok(nowhere.includes('short-circuit 192.0.2.200 . tcp . 80 : goto refuse'));
});

test('LoadBalancer in ipMode Proxy is left to the balancer', () => {
  assert.ok(
    !elements(balancer({}, 'Proxy'), [sampleSlice('web', [LOCAL])]).some((line) => line.includes('192.0.2.200')),
  );
});

test('LoadBalancer source ranges restrict its address and nothing else', () => {
  const service = balancer({ loadBalancerSourceRanges: ['198.51.100.0/24'], externalIPs: ['203.0.113.7'] });
  const lines = elements(service, [sampleSlice('web', [LOCAL])]).filter((line) => /^(restricted|source)/.test(line));
  assert.deepEqual(lines, [
    'restricted 192.0.2.200 . tcp . 80',
    'source-ranges 192.0.2.200 . tcp . 80 . 198.51.100.0/24',
  ]);
});

test('externalIPs are reached like a load balancer, also on a ClusterIP Service', () => {
  const service = sampleService('web', { clusterIP: '10.43.0.9', externalIPs: ['203.0.113.7'] });
  const lines = elements(service, [sampleSlice('web', [REMOTE])]);
  assert.ok(lines.includes('frontends 203.0.113.7 . tcp . 80 : goto pick-1'));
  assert.ok(lines.includes('external 203.0.113.7 . tcp . 80 : goto rewrite-source'));
});

test('ClientIP affinity is marked on every frontend, with its duration', () => {
  const service = balancer({
    sessionAffinity: 'ClientIP',
    sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
  });
  const lines = elements(service, [sampleSlice('web', [LOCAL])]).filter((line) => line.startsWith('sticky'));
  assert.deepEqual(lines, [
    'sticky 10.43.0.9 . tcp . 80 : goto remember-60',
    'sticky 192.0.2.200 . tcp . 80 : goto remember-60',
  ]);
});

test('UDP and SCTP ports are matched with the slices of their protocol and name', () => {
  const service = sampleService('dns', {
    clusterIP: '10.43.0.10',
    ports: [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53, protocol: 'TCP' },
      { name: 'sig', port: 2905, protocol: 'SCTP' },
    ],
  });
  const slices = [
    sampleSlice('dns', [REMOTE], { portName: 'dns', protocol: 'UDP', port: 10053 }),
    sampleSlice('dns', [REMOTE], { portName: 'sig', protocol: 'SCTP', port: 2905, name: 'dns-2' }),
  ];
  assert.deepEqual(
    elements(service, slices).filter((line) => line.startsWith('frontends') || line.startsWith('endpoints')),
    [
      'endpoints 10.43.0.10 . sctp . 2905 . 0 : 10.42.1.6 . 2905',
      'endpoints 10.43.0.10 . udp . 53 . 0 : 10.42.1.6 . 10053',
      'frontends 10.43.0.10 . sctp . 2905 : goto pick-1',
      'frontends 10.43.0.10 . tcp . 53 : goto refuse',
      'frontends 10.43.0.10 . udp . 53 : goto pick-1',
    ],
  );
});

test('dual stack: each family has its own addresses and endpoints', () => {
  const service = sampleService('web', { clusterIP: '10.43.0.9', clusterIPs: ['10.43.0.9', 'fd43::9'] });
  const slices = [
    sampleSlice('web', [REMOTE]),
    sampleSlice('web', [{ ip: 'FD42:0::6', node: 'node-b' }], { family: 6, name: 'web-6' }),
  ];
  const lines = elements(service, slices);
  assert.ok(lines.includes('endpoints fd43::9 . tcp . 80 . 0 : fd42::6 . 8080'));
  assert.ok(lines.includes('endpoints 10.43.0.9 . tcp . 80 . 0 : 10.42.1.6 . 8080'));
});

test('an endpoint in two slices counts once, and as alive when one of them says so', () => {
  const slices = [
    sampleSlice('web', [{ ...LOCAL, ready: false, serving: true, terminating: true }]),
    sampleSlice('web', [LOCAL], { name: 'web-2' }),
  ];
  const lines = elements(sampleService('web', { clusterIP: '10.43.0.9' }), slices);
  assert.equal(lines.filter((line) => line.startsWith('endpoints')).length, 1);
});

test('health check port: ready local endpoints are counted, under policy Local only', () => {
  const slices = [
    sampleSlice('web', [LOCAL, REMOTE, { ip: '10.42.0.8', node: 'node-a', ready: false, terminating: true }]),
  ];
  const local = balancer({ externalTrafficPolicy: 'Local', healthCheckNodePort: 31000 });
  assert.deepEqual(compileService(local, slices, SAMPLE_NODE).healthCheck, { port: 31000, localEndpoints: 1 });
  assert.equal(compileService(balancer({}), slices, SAMPLE_NODE).healthCheck, undefined);
});

test('headless, ExternalName and foreign Services are none of our business', () => {
  assert.equal(isProxied(sampleService('a', { clusterIP: 'None' })), false);
  assert.equal(isProxied(sampleService('a', { type: 'ExternalName', externalName: 'example.org' })), false);
  const foreign = sampleService('a', { clusterIP: '10.43.0.9' });
  foreign.metadata.labels = { 'service.kubernetes.io/service-proxy-name': 'other' };
  assert.equal(isProxied(foreign), false);
  assert.equal(isProxied(sampleService('a', { clusterIP: '10.43.0.9' })), true);
});

test('UDP flows to endpoints on lost nodes count as stale, those to draining ones do not', () => {
  const service = sampleService('dns', { clusterIP: '10.43.0.9', ports: [{ port: 53, protocol: 'UDP' }] });
  const draining = { ip: '10.42.2.2', node: 'node-c', ready: false, serving: true, terminating: true };
  const slices = [sampleSlice('dns', [LOCAL, REMOTE, draining], { protocol: 'UDP' })];
  const { units } = compileService(service, slices, { ...SAMPLE_NODE, lostNodes: new Set(['node-b']) });
  const frontend = units.find((unit) => unit.kind === 'frontend');
  assert.deepEqual([...(frontend?.serving ?? [])], ['10.42.0.5 . 8080', '10.42.2.2 . 8080']);
});
