import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { ConfigMap, Container, Pod, Secret, Service } from '@ballast/kube';
import fc from 'fast-check';
import { containerEnvironment } from './environment.ts';
import { expandVariables } from './expand.ts';
import { fieldValue, resourceValue } from './field-reference.ts';
import { serviceEnvironment } from './service-environment.ts';

const pod: Pod = {
  metadata: {
    name: 'web-0',
    namespace: 'shop',
    uid: 'u',
    labels: { b: '2', a: 'say "1"' },
    annotations: { note: 'x' },
  },
  spec: { nodeName: 'node-1', serviceAccountName: 'robot', containers: [{ name: 'main' }] },
};
const allocatable = { milliCpu: 2000, memoryBytes: 1024 ** 3, ephemeralBytes: 1024 ** 3 };
const context = { pod, podIps: ['10.42.0.2', 'fd00::2'], nodeIps: ['192.0.2.11'], allocatable };

describe('expandVariables', () => {
  const values: Record<string, string> = { A: 'a', EMPTY: '' };
  const cases: [string, string][] = [
    ['$(A)', 'a'],
    ['x$(A)y$(A)', 'xaya'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$a'],
    ['$(NO)', '$(NO)'],
    ['$(A', '$(A'],
    ['$A $', '$A $'],
    ['$(EMPTY)', ''],
    ['$($(A)B)', '$($(A)B)'],
  ];
  for (const [text, expected] of cases) {
    test(`${text} becomes ${expected}`, () =>
      assert.equal(
        expandVariables(text, (name) => values[name]),
        expected,
      ));
  }
  test('text without a dollar sign stays as it is', () => {
    fc.assert(fc.property(fc.string(), (text) => text.includes('$') || expandVariables(text, () => 'x') === text));
  });
});

test('downward API: fields of the pod', () => {
  const cases: [string, string][] = [
    ['metadata.name', 'web-0'],
    ['metadata.namespace', 'shop'],
    ["metadata.labels['b']", '2'],
    ["metadata.annotations['none']", ''],
    ['metadata.labels', 'a="say \\"1\\""\nb="2"'],
    ['spec.nodeName', 'node-1'],
    ['spec.serviceAccountName', 'robot'],
    ['status.podIP', '10.42.0.2'],
    ['status.podIPs', '10.42.0.2,fd00::2'],
    ['status.hostIP', '192.0.2.11'],
  ];
  for (const [path, expected] of cases) assert.equal(fieldValue(path, context), expected, path);
  assert.throws(() => fieldValue('status.phase', context), { code: 'field-unsupported' });
});

test('downward API: resources in units of the divisor, rounded up; the node stands in for missing limits', () => {
  const container: Container = { name: 'main', resources: { limits: { memory: '100Mi' }, requests: { cpu: '250m' } } };
  const value = (resource: string, divisor?: string) =>
    resourceValue(divisor === undefined ? { resource } : { resource, divisor }, container, context);
  assert.equal(value('limits.memory'), String(100 * 1024 * 1024));
  assert.equal(value('limits.memory', '1Mi'), '100');
  assert.equal(value('requests.cpu', '1m'), '250');
  assert.equal(value('requests.cpu'), '1');
  assert.equal(value('limits.cpu'), '2');
  assert.equal(value('requests.memory'), '0');
});

describe('containerEnvironment', () => {
  const configMap: ConfigMap = { metadata: { name: 'c' }, data: { KEY: 'from map', OTHER: 'o' } };
  const secret: Secret = { metadata: { name: 's' }, data: { TOKEN: Buffer.from('hush').toString('base64') } };
  const config = {
    configMap: (name: string) => (name === 'c' ? configMap : undefined),
    secret: (name: string) => (name === 's' ? secret : undefined),
  };
  const environment = (container: Partial<Container>, services = new Map<string, string>()) =>
    Object.fromEntries(containerEnvironment({ container: { name: 'main', ...container }, context, config, services }));

  test('envFrom with prefix, then env, then what Services add', () => {
    const result = environment(
      {
        envFrom: [{ prefix: 'C_', configMapRef: { name: 'c' } }, { secretRef: { name: 's' } }],
        env: [
          { name: 'TOKEN', value: 'own' },
          { name: 'BOTH', value: '$(C_KEY) and $(DB_SERVICE_HOST)' },
        ],
      },
      new Map([['DB_SERVICE_HOST', '10.43.0.9']]),
    );
    assert.deepEqual(result, {
      C_KEY: 'from map',
      C_OTHER: 'o',
      TOKEN: 'own',
      BOTH: 'from map and 10.43.0.9',
      DB_SERVICE_HOST: '10.43.0.9',
    });
  });

  test('keys of ConfigMaps and Secrets; what is optional and missing is not set', () => {
    const env = [
      { name: 'A', valueFrom: { configMapKeyRef: { name: 'c', key: 'KEY' } } },
      { name: 'B', valueFrom: { secretKeyRef: { name: 's', key: 'TOKEN' } } },
      { name: 'C', valueFrom: { secretKeyRef: { name: 'none', key: 'x', optional: true } } },
    ];
    assert.deepEqual(environment({ env }), { A: 'from map', B: 'hush' });
  });

  test('a missing object or key is named as upstream names it', () => {
    const map = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'none', key: 'x' } } }];
    assert.throws(() => environment({ env: map }), { code: 'config-missing', message: 'configmap "none" not found' });
    const key = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'c', key: 'x' } } }];
    assert.throws(() => environment({ env: key }), { message: "couldn't find key x in ConfigMap shop/c" });
    assert.throws(() => environment({ envFrom: [{ secretRef: { name: 'none' } }] }), { code: 'config-missing' });
  });
});

test('variables of Services: those of the namespace, and always the API server', () => {
  const service = (namespace: string, name: string, clusterIP: string, port: number): Service => ({
    metadata: { namespace, name },
    spec: { clusterIP, ports: [{ name: 'http-alt', port, protocol: 'TCP' }] },
  });
  const services = [
    service('default', 'kubernetes', '10.43.0.1', 443),
    service('shop', 'my-db', '10.43.0.9', 5432),
    service('shop', 'headless', 'None', 80),
    service('other', 'far', '10.43.0.10', 80),
  ];
  const all = serviceEnvironment({ services, namespace: 'shop', enableServiceLinks: true });
  assert.equal(all.get('MY_DB_SERVICE_HOST'), '10.43.0.9');
  assert.equal(all.get('MY_DB_SERVICE_PORT_HTTP_ALT'), '5432');
  assert.equal(all.get('MY_DB_PORT_5432_TCP'), 'tcp://10.43.0.9:5432');
  assert.equal(all.get('KUBERNETES_SERVICE_PORT'), '443');
  assert.ok(![...all.keys()].some((name) => name.startsWith('FAR_') || name.startsWith('HEADLESS_')));
  const few = serviceEnvironment({ services, namespace: 'shop', enableServiceLinks: false });
  assert.ok([...few.keys()].every((name) => name.startsWith('KUBERNETES_')));
});
