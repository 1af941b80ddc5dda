import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEPLOYMENTS, NODES, POD_DISRUPTION_BUDGETS, PODS, type ResourceType, SERVICES } from '@ballast/kube';
import fc from 'fast-check';
import { applyStrategicMergePatch, PatchError } from './index.ts';

const TABLE: readonly [name: string, resource: ResourceType, target: unknown, patch: unknown, result: unknown][] = [
  [
    'lists with a merge key merge item by item',
    PODS,
    {
      spec: {
        containers: [
          { name: 'a', image: '1' },
          { name: 'b', image: '1' },
        ],
      },
    },
    {
      spec: {
        containers: [
          { name: 'b', image: '2' },
          { name: 'c', image: '3' },
        ],
      },
    },
    {
      spec: {
        containers: [
          { name: 'a', image: '1' },
          { name: 'b', image: '2' },
          { name: 'c', image: '3' },
        ],
      },
    },
  ],
  [
    '$patch: delete removes an item',
    PODS,
    { spec: { containers: [{ name: 'a' }, { name: 'b' }] } },
    { spec: { containers: [{ name: 'a', $patch: 'delete' }] } },
    { spec: { containers: [{ name: 'b' }] } },
  ],
  [
    '$patch: replace replaces an object',
    PODS,
    { spec: { securityContext: { runAsUser: 1, fsGroup: 2 } } },
    { spec: { securityContext: { $patch: 'replace', runAsUser: 3 } } },
    { spec: { securityContext: { runAsUser: 3 } } },
  ],
  [
    '$patch: replace as an item replaces the list',
    PODS,
    { spec: { containers: [{ name: 'a' }, { name: 'b' }] } },
    { spec: { containers: [{ $patch: 'replace' }, { name: 'c' }] } },
    { spec: { containers: [{ name: 'c' }] } },
  ],
  [
    'lists without a merge key are replaced',
    PODS,
    { spec: { tolerations: [{ key: 'a' }], containers: [{ name: 'a', args: ['x', 'y'] }] } },
    { spec: { tolerations: [{ key: 'b' }], containers: [{ name: 'a', args: ['z'] }] } },
    { spec: { tolerations: [{ key: 'b' }], containers: [{ name: 'a', args: ['z'] }] } },
  ],
  [
    'null removes a field',
    DEPLOYMENTS,
    { metadata: { labels: { a: '1', b: '2' } } },
    { metadata: { labels: { a: null } } },
    { metadata: { labels: { b: '2' } } },
  ],
  [
    'lists of plain values merge as sets',
    PODS,
    { metadata: { finalizers: ['a', 'b'] } },
    { metadata: { finalizers: ['b', 'c'] } },
    { metadata: { finalizers: ['a', 'b', 'c'] } },
  ],
  [
    '$deleteFromPrimitiveList removes values',
    PODS,
    { metadata: { finalizers: ['a', 'b'] } },
    { metadata: { '$deleteFromPrimitiveList/finalizers': ['a'] } },
    { metadata: { finalizers: ['b'] } },
  ],
  [
    '$setElementOrder sorts',
    PODS,
    { spec: { containers: [{ name: 'a' }, { name: 'b' }, { name: 'c' }] } },
    {
      spec: {
        '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }, { name: 'd' }],
        containers: [{ name: 'd' }, { name: 'b', $patch: 'delete' }],
      },
    },
    { spec: { containers: [{ name: 'c' }, { name: 'a' }, { name: 'd' }] } },
  ],
  [
    '$setElementOrder keeps items of others near their place',
    PODS,
    { spec: { containers: [{ name: 'a' }, { name: 'theirs' }, { name: 'b' }] } },
    { spec: { '$setElementOrder/containers': [{ name: 'b' }, { name: 'a' }] } },
    { spec: { containers: [{ name: 'theirs' }, { name: 'b' }, { name: 'a' }] } },
  ],
  [
    '$retainKeys drops what it does not list (kubectl apply of another strategy type)',
    DEPLOYMENTS,
    { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } },
    { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
    { spec: { strategy: { type: 'Recreate' } } },
  ],
  [
    '$retainKeys changes the source of a volume',
    PODS,
    { spec: { volumes: [{ name: 'v', emptyDir: {} }] } },
    { spec: { volumes: [{ name: 'v', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] } },
    { spec: { volumes: [{ name: 'v', hostPath: { path: '/x' } }] } },
  ],
  [
    'conditions merge by type',
    NODES,
    {
      status: {
        conditions: [
          { type: 'Ready', status: 'True' },
          { type: 'DiskPressure', status: 'False' },
        ],
      },
    },
    { status: { conditions: [{ type: 'Ready', status: 'False' }] } },
    {
      status: {
        conditions: [
          { type: 'Ready', status: 'False' },
          { type: 'DiskPressure', status: 'False' },
        ],
      },
    },
  ],
  [
    'ports of a Service merge by number',
    SERVICES,
    { spec: { ports: [{ port: 80, name: 'http' }] } },
    { spec: { ports: [{ port: 80, nodePort: 30080 }, { port: 443 }] } },
    { spec: { ports: [{ port: 80, name: 'http', nodePort: 30080 }, { port: 443 }] } },
  ],
  [
    'the selector of a disruption budget is replaced',
    POD_DISRUPTION_BUDGETS,
    { spec: { selector: { matchLabels: { a: '1' } } } },
    { spec: { selector: { matchLabels: { b: '2' } } } },
    { spec: { selector: { matchLabels: { b: '2' } } } },
  ],
];

for (const [name, { schema }, target, patch, result] of TABLE) {
  test(`strategic merge patch: ${name}`, () => {
    const before = structuredClone(target);
    assert.deepEqual(applyStrategicMergePatch(schema, target, patch), result);
    assert.deepEqual(target, before);
  });
}

test('an item without its merge key is refused by name', () => {
  assert.throws(
    () => applyStrategicMergePatch(PODS.schema, {}, { spec: { containers: [{ image: 'x' }] } }),
    (error) => error instanceof PatchError && /does not contain declared merge key: name/.test(error.message),
  );
});

test('an unknown directive is refused', () => {
  assert.throws(() => applyStrategicMergePatch(PODS.schema, {}, { spec: { $patch: 'explode' } }), PatchError);
});

test('any patch either applies or is refused with a PatchError, and applying it twice is applying it once', () => {
  const item = fc.record(
    { name: fc.constantFrom('a', 'b', 'c'), image: fc.string(), $patch: fc.constantFrom('delete', 'merge') },
    { requiredKeys: ['name'] },
  );
  const patches = fc.record(
    {
      metadata: fc.record({ labels: fc.dictionary(fc.constantFrom('x', 'y'), fc.option(fc.string())) }),
      spec: fc.record(
        { containers: fc.uniqueArray(item, { selector: ({ name }) => name }), nodeName: fc.option(fc.string()) },
        { requiredKeys: [] },
      ),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(patches, (patch) => {
      const pod = { metadata: { labels: { x: '1' } }, spec: { containers: [{ name: 'b', image: 'i' }] } };
      const once = applyStrategicMergePatch(PODS.schema, pod, patch);
      assert.deepEqual(applyStrategicMergePatch(PODS.schema, once, patch), once);
    }),
  );
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (target, patch) => {
      try {
        applyStrategicMergePatch(PODS.schema, target, patch);
      } catch (error) {
        assert.ok(error instanceof PatchError);
      }
    }),
  );
});
