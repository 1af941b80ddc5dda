import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONFIG_MAPS, DEPLOYMENTS, LEASES, PODS, RESOURCES, type ResourceType } from '@ballast/kube';
import fc from 'fast-check';
import type { JsonObject } from '../object/api-object.ts';
import { canonicalQuantity, decode, duplicateFields } from './index.ts';

function decoded(resource: ResourceType, input: JsonObject) {
  return decode(resource.schema, structuredClone(input));
}

test('unknown fields are named with their path and dropped', () => {
  const { object, unknown } = decoded(DEPLOYMENTS, {
    metadata: { name: 'x', foo: 1 },
    spec: { bar: 1, template: { spec: { containers: [{ name: 'c', bogus: true }] } } },
  });
  assert.deepEqual(unknown, [
    'unknown field "metadata.foo"',
    'unknown field "spec.bar"',
    'unknown field "spec.template.spec.containers[0].bogus"',
  ]);
  assert.deepEqual(object, { metadata: { name: 'x' }, spec: { template: { spec: { containers: [{ name: 'c' }] } } } });
});

const TYPE_ERRORS: readonly [resource: ResourceType, input: JsonObject, error: string][] = [
  [
    DEPLOYMENTS,
    { spec: { replicas: '2' } },
    'json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32',
  ],
  [
    DEPLOYMENTS,
    { spec: { replicas: 1.5 } },
    'json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32',
  ],
  [
    PODS,
    { metadata: { labels: { a: true } } },
    'json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string',
  ],
  [
    PODS,
    { spec: { containers: {} } },
    'json: cannot unmarshal object into Go struct field PodSpec.spec.containers of type []v1.Container',
  ],
  [PODS, { spec: [] }, 'json: cannot unmarshal array into Go struct field Pod.spec of type v1.PodSpec'],
  [CONFIG_MAPS, { data: { a: 1 } }, 'json: cannot unmarshal number into Go struct field ConfigMap.data of type string'],
];

for (const [resource, input, error] of TYPE_ERRORS) {
  test(`a wrong type is refused: ${error}`, () => assert.equal(decoded(resource, input).typeError, error));
}

test('null means absent', () => {
  const { object } = decoded(PODS, { metadata: { creationTimestamp: null, labels: { a: null } }, spec: null });
  assert.deepEqual(object, { metadata: { labels: { a: '' } } });
});

test('quantities have one way to be written', () => {
  const table: [string, string | undefined][] = [
    ['0.5', '500m'],
    ['1024Mi', '1Gi'],
    ['1', '1'],
    ['1000m', '1'],
    ['0', '0'],
    ['0Mi', '0'],
    ['1.5Gi', '1536Mi'],
    ['1e3', '1e3'],
    ['100Ki', '100Ki'],
    ['1000Ki', '1000Ki'],
    ['1024Ki', '1Mi'],
    ['123456789', '123456789'],
    ['1000000', '1M'],
    ['-2', '-2'],
    ['0.1Mi', '104857600m'],
    ['abc', undefined],
    ['1Qi', undefined],
    ['', undefined],
  ];
  for (const [text, canonical] of table) assert.equal(canonicalQuantity(text), canonical, text);
});

test('the canonical form of a quantity is a fixed point', () => {
  const suffix = fc.constantFrom('', 'm', 'u', 'n', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'Ti', 'e3', 'E-2');
  fc.assert(
    fc.property(
      fc.integer({ min: -1e9, max: 1e9 }),
      fc.integer({ min: 0, max: 999 }),
      suffix,
      (whole, fraction, unit) => {
        const canonical = canonicalQuantity(`${whole}.${fraction}${unit}`);
        assert.ok(canonical !== undefined);
        assert.equal(canonicalQuantity(canonical), canonical);
      },
    ),
  );
});

test('times are written in UTC: whole seconds, or six decimals where the kind says so', () => {
  const { object } = decoded(LEASES, {
    metadata: { creationTimestamp: '2026-01-01T02:00:00+02:00' },
    spec: { renewTime: '2026-01-01T00:00:00.5Z' },
  });
  assert.deepEqual(object, {
    metadata: { creationTimestamp: '2026-01-01T00:00:00Z' },
    spec: { renewTime: '2026-01-01T00:00:00.500000Z' },
  });
  assert.match(decoded(LEASES, { spec: { renewTime: 'yesterday' } }).typeError ?? '', /^parsing time "yesterday"/);
});

test('fields that occur twice are found at any depth', () => {
  assert.deepEqual(duplicateFields('{"a":1,"b":{"c":1, "c" : [{"x":1,"x":"}"}]},"a":2}'), [
    'duplicate field "b.c"',
    'duplicate field "b.c[0].x"',
    'duplicate field "a"',
  ]);
  assert.deepEqual(duplicateFields('a: 1\na: 2'), []);
});

test('JSON that was written by JSON.stringify has no duplicate fields, and no text makes the search fail', () => {
  fc.assert(fc.property(fc.json(), (json) => assert.deepEqual(duplicateFields(json), [])));
  fc.assert(fc.property(fc.string(), (text) => assert.ok(Array.isArray(duplicateFields(text)))));
});

test('any JSON object either decodes or has a type error, and decoding what was decoded changes nothing', () => {
  const anyObject = fc.dictionary(fc.constantFrom('metadata', 'spec', 'status', 'data', 'x'), fc.jsonValue(), {
    noNullPrototype: true,
  });
  fc.assert(
    fc.property(fc.constantFrom(...RESOURCES), anyObject, ({ schema }, input) => {
      const first = decode(schema, structuredClone(input));
      if (first.typeError !== undefined) return;
      const again = decode(schema, structuredClone(first.object));
      assert.deepEqual(again.unknown, []);
      assert.equal(again.typeError, undefined);
      assert.deepEqual(again.object, first.object);
    }),
  );
});

test('custom resources keep wrong types for validation to name', () => {
  const schema = {
    type: 'object' as const,
    properties: {
      spec: { type: 'object' as const, properties: { replicas: { type: 'integer' as const, bits: 32 as const } } },
    },
  };
  const { object, typeError, unknown } = decode(schema, { spec: { replicas: 'two', other: 1 } }, { custom: true });
  assert.equal(typeError, undefined);
  assert.deepEqual(unknown, ['unknown field "spec.other"']);
  assert.deepEqual(object, { spec: { replicas: 'two' } });
});
