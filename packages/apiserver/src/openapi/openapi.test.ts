import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RESOURCES } from '@ballast/kube';
import { openApiPath, openApiV3Document, openApiV3Index } from './document.ts';
import { openApiV2Protobuf } from './v2.ts';

type Json = Record<string, unknown>;

const byGroup = Map.groupBy(RESOURCES, openApiPath);
const documents = new Map(Array.from(byGroup, ([path, resources]) => [path, openApiV3Document(resources, 'v1.36.0')]));

function at(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>((found, name) => (found as Json | undefined)?.[name], value);
}

function* referencesIn(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, child] of Object.entries(value)) {
    if (key === '$ref' && typeof child === 'string') yield child;
    else yield* referencesIn(child);
  }
}

describe('every document', () => {
  for (const [path, document] of documents) {
    test(`${path} refers only to what it holds`, () => {
      const schemas = at(document, 'components', 'schemas') as Json;
      for (const ref of new Set(referencesIn(document))) {
        assert.ok(Object.hasOwn(schemas, ref.replace('#/components/schemas/', '')), ref);
      }
    });
  }
});

test('a kind carries its group, version and kind, and its required fields', () => {
  const deployment = at(
    documents.get('apis/apps/v1'),
    'components',
    'schemas',
    'io.k8s.api.apps.v1.DeploymentSpec',
  ) as Json;
  assert.deepEqual(deployment.required, ['selector', 'template']);
  const kind = at(
    documents.get('apis/apps/v1'),
    'components',
    'schemas',
    'io.k8s.api.apps.v1.Deployment',
    'x-kubernetes-group-version-kind',
  );
  assert.deepEqual(kind, [{ group: 'apps', version: 'v1', kind: 'Deployment' }]);
});

test('merge keys are there for clients that compute patches', () => {
  const containers = at(
    documents.get('api/v1'),
    'components',
    'schemas',
    'io.k8s.api.core.v1.PodSpec',
    'properties',
    'containers',
  ) as Json;
  assert.equal(containers['x-kubernetes-patch-merge-key'], 'name');
  assert.equal(containers['x-kubernetes-patch-strategy'], 'merge');
  assert.deepEqual(containers['x-kubernetes-list-map-keys'], ['name']);
});

test('kubectl finds the fieldValidation parameter on PATCH', () => {
  const patch = at(documents.get('api/v1'), 'paths', '/api/v1/namespaces/{namespace}/pods/{name}', 'patch') as Json;
  assert.deepEqual(patch['x-kubernetes-group-version-kind'], { group: '', version: 'v1', kind: 'Pod' });
  assert.ok((patch.parameters as Json[]).some(({ name }) => name === 'fieldValidation'));
});

test('cluster-scoped kinds have no namespace in their paths, namespaced ones can be listed over all', () => {
  const paths = Object.keys(at(documents.get('api/v1'), 'paths') as Json);
  assert.ok(paths.includes('/api/v1/nodes/{name}'));
  assert.ok(paths.includes('/api/v1/pods'));
  assert.ok(paths.includes('/api/v1/namespaces/{namespace}/pods/{name}/log'));
});

test('the index names each document with a hash of its content', () => {
  const index = openApiV3Index(new Map([['api/v1', 'x']]));
  assert.match(
    String(at(index, 'paths', 'api/v1', 'serverRelativeURL')),
    /^\/openapi\/v3\/api\/v1\?hash=[0-9A-F]{128}$/,
  );
});

test('OpenAPI 2.0 tells in protobuf where field validation is, as kubectl reads it', () => {
  const resource = RESOURCES.find(({ plural }) => plural === 'namespaces');
  assert.ok(resource);
  const text = Buffer.from(openApiV2Protobuf([resource], 'v1.36.0')).toString('latin1');
  // Field 1 of Document, then Info; the rest is held by kubectl itself in the tests that run it.
  assert.ok(text.startsWith('\n\x032.0\x12\x15\n\nKubernetes\x12\x07v1.36.0'));
  for (const part of ['/api/v1/namespaces/{name}', 'fieldValidation', '"kind":"Namespace"'])
    assert.ok(text.includes(part));
});
