import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CustomResourceDefinition, JSONSchemaProps, Schema } from '@ballast/kube';
import { compileCrd } from './compile.ts';
import { crdProblems } from './problems.ts';
import { crdStatus, isEstablished } from './status.ts';

function crd(
  openAPIV3Schema: JSONSchemaProps,
  change: Partial<CustomResourceDefinition['spec']> = {},
): CustomResourceDefinition {
  return {
    metadata: { name: 'things.example.com' },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural: 'things', kind: 'Thing' },
      versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }],
      ...change,
    },
  };
}

function spec(props: JSONSchemaProps): Schema | undefined {
  return compileCrd(crd({ type: 'object', properties: { spec: props } }), 'v1').properties.spec;
}

describe('structural schemas become schemas', () => {
  const cases: [name: string, props: JSONSchemaProps, expected: Schema][] = [
    [
      'plain types with rules',
      { type: 'string', pattern: '^a', maxLength: 3 },
      { type: 'string', rules: { pattern: '^a', maxLength: 3 } },
    ],
    [
      '32-bit integers',
      { type: 'integer', format: 'int32' },
      { type: 'integer', bits: 32, rules: { format: 'int32' } },
    ],
    [
      'int or string',
      { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] },
      { type: 'intOrString' },
    ],
    [
      'maps',
      { type: 'object', additionalProperties: { type: 'boolean' } },
      { type: 'map', values: { type: 'boolean' } },
    ],
    [
      'map lists',
      {
        type: 'array',
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
        items: { type: 'object', required: ['name'], properties: { name: { type: 'string', default: 'x' } } },
      },
      {
        type: 'list',
        listType: 'map',
        keys: ['name'],
        items: { type: 'object', properties: { name: { type: 'string', default: 'x', required: true } } },
      },
    ],
    [
      'atomic lists',
      { type: 'array', items: { type: 'number' } },
      { type: 'list', listType: 'atomic', items: { type: 'number' } },
    ],
    [
      'free-form objects',
      { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
      { type: 'object', properties: {}, preserveUnknown: true },
    ],
    ['values of any type', { 'x-kubernetes-preserve-unknown-fields': true }, { type: 'any' }],
    [
      'junctors',
      {
        type: 'object',
        properties: { a: { type: 'string' } },
        oneOf: [{ required: ['a'] }, { not: { required: ['a'] } }],
      },
      {
        type: 'object',
        properties: { a: { type: 'string' } },
        rules: { oneOf: [{ required: ['a'] }, { not: { required: ['a'] } }] },
      },
    ],
  ];
  for (const [name, props, expected] of cases) {
    test(name, () => assert.deepEqual(spec(props), expected));
  }

  test('the object itself has metadata, and a name among the OpenAPI definitions', () => {
    const schema = compileCrd(crd({ type: 'object' }), 'v1');
    assert.equal(schema.name, 'com.example.v1.Thing');
    assert.equal(schema.properties.metadata?.type, 'object');
  });
});

describe('definitions that cannot be served are refused', () => {
  const fields = (definition: CustomResourceDefinition, old?: CustomResourceDefinition) =>
    crdProblems(definition, old).map(({ field }) => field);

  test('a good one has no problems', () => assert.deepEqual(fields(crd({ type: 'object' })), []));

  const schemas: [name: string, props: JSONSchemaProps, field: string][] = [
    ['no type at the root', {}, 'type'],
    ['a field without type', { type: 'object', properties: { spec: {} } }, 'properties[spec].type'],
    ['an unknown type', { type: 'object', properties: { spec: { type: 'float' } } }, 'properties[spec].type'],
    ['an array without items', { type: 'object', properties: { spec: { type: 'array' } } }, 'properties[spec].items'],
    ['$ref', { type: 'object', $ref: '#/x' }, '$ref'],
    [
      'a broken pattern',
      { type: 'object', properties: { spec: { type: 'string', pattern: '(' } } },
      'properties[spec].pattern',
    ],
    [
      'a map list without keys',
      {
        type: 'object',
        properties: { spec: { type: 'array', items: { type: 'object' }, 'x-kubernetes-list-type': 'map' } },
      },
      'properties[spec].x-kubernetes-list-map-keys',
    ],
    ['a default inside a junctor', { type: 'object', anyOf: [{ default: 1 }] }, 'anyOf[0].default'],
  ];
  for (const [name, props, field] of schemas) {
    test(name, () => assert.deepEqual(fields(crd(props)), [`spec.versions[0].schema.openAPIV3Schema.${field}`]));
  }

  test('all problems come at once', () => {
    const bad = crd(
      { type: 'object' },
      { group: 'Bad', names: { plural: 'Things', kind: 'Thing', listKind: 'Thing' }, versions: [] },
    );
    assert.deepEqual(fields(bad), [
      'spec.group',
      'metadata.name',
      'spec.names.plural',
      'spec.names.listKind',
      'spec.versions',
    ]);
  });

  test('what objects depend on cannot change', () => {
    const old = { ...crd({ type: 'object' }), status: { storedVersions: ['v1alpha1', 'v1'] } };
    assert.deepEqual(fields(crd({ type: 'object' }, { scope: 'Cluster' }), old), [
      'spec.scope',
      'status.storedVersions[0]',
    ]);
  });
});

describe('status', () => {
  const free = { resources: new Set<string>(), kinds: new Set<string>() };

  test('free names are accepted and the definition is established; the storage version is remembered', () => {
    const status = crdStatus(crd({ type: 'object' }), free, '2026-01-01T00:00:00Z');
    assert.equal(isEstablished({ ...crd({ type: 'object' }), status }), true);
    assert.deepEqual(status.acceptedNames, {
      plural: 'things',
      kind: 'Thing',
      singular: 'thing',
      listKind: 'ThingList',
    });
    assert.deepEqual(status.storedVersions, ['v1']);
  });

  test('a taken kind keeps a new definition from being served, but not one that was served before', () => {
    const taken = { resources: new Set<string>(), kinds: new Set(['Thing']) };
    const definition = crd({ type: 'object' });
    assert.equal(isEstablished({ ...definition, status: crdStatus(definition, taken, 'x') }), false);
    const served = { ...definition, status: crdStatus(definition, free, 'x') };
    const later = crdStatus(served, taken, 'y');
    assert.equal(isEstablished({ ...definition, status: later }), true);
    assert.equal(later.conditions?.find(({ type }) => type === 'Established')?.lastTransitionTime, 'x');
  });
});
