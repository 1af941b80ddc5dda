import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ObjectSchema, Schema } from '../schema/index.ts';
import type { Deployment, Pod, ServicePort } from './index.ts';
import { PODS, RESOURCES } from './index.ts';

/** Every schema that can be reached, with the path that leads there first. */
function* everySchema(): Iterable<[schema: Schema, path: string]> {
  const seen = new Set<Schema>();
  const open: [Schema, string][] = RESOURCES.flatMap(({ kind, schema, subresources }) => [
    [schema, kind] as [Schema, string],
    ...subresources.flatMap(({ name, schema: body }) => (body ? [[body, `${kind}/${name}`] as [Schema, string]] : [])),
  ]);
  for (let next = open.pop(); next; next = open.pop()) {
    const [schema, path] = next;
    if (seen.has(schema)) continue;
    seen.add(schema);
    yield [schema, path];
    if (schema.type === 'object') {
      for (const [name, property] of Object.entries(schema.properties)) open.push([property, `${path}.${name}`]);
    } else if (schema.type === 'list') open.push([schema.items, `${path}[]`]);
    else if (schema.type === 'map') open.push([schema.values, `${path}{}`]);
  }
}

test('keys of lists are fields of their items that are always there', () => {
  for (const [schema, path] of everySchema()) {
    if (schema.type !== 'list') continue;
    const keys = [...(schema.keys ?? []), ...(schema.patchMergeKey === undefined ? [] : [schema.patchMergeKey])];
    assert.equal(schema.listType === 'map', (schema.keys ?? []).length > 0, path);
    for (const key of keys) {
      assert.equal(schema.items.type, 'object', path);
      const property = (schema.items as ObjectSchema).properties[key];
      assert.ok(property, `${path}: no ${key}`);
      // References without a name are useless, but upstream lets them be.
      const always = property.required || property.default !== undefined || key === 'name' || key === 'devicePath';
      assert.ok(always, `${path}: ${key} may be absent`);
    }
  }
});

test('a definition name means one thing', () => {
  const known = new Map<string, string>();
  for (const [schema, path] of everySchema()) {
    if (schema.type !== 'object' || schema.name === undefined) continue;
    const fields = Object.keys(schema.properties).sort().join();
    const before = known.get(schema.name);
    if (before !== undefined) assert.equal(fields, before, `${schema.name} at ${path}`);
    known.set(schema.name, fields);
  }
  assert.ok(known.size > 250);
});

test('every resource has a path of its own, a singular and a schema with metadata', () => {
  const paths = RESOURCES.map(({ group, version, plural }) => `${group}/${version}/${plural}`);
  assert.equal(new Set(paths).size, paths.length);
  for (const { kind, singular, schema, verbs } of RESOURCES) {
    assert.equal(singular, kind.toLowerCase());
    assert.ok(schema.properties.metadata, kind);
    assert.ok(verbs.includes('create'), kind);
  }
});

test('schemas carry their TypeScript types', () => {
  const port: ServicePort = { port: 80 };
  const pod: Pod = {
    metadata: { name: 'x' },
    spec: { containers: [{ name: 'c', ports: [{ containerPort: port.port }] }] },
  };
  const phase: 'Failed' | 'Pending' | 'Running' | 'Succeeded' | 'Unknown' | undefined = pod.status?.phase;
  const deployment: Deployment = {
    metadata: { name: 'x' },
    spec: {
      selector: {},
      template: { spec: pod.spec ?? { containers: [] } },
      strategy: { rollingUpdate: { maxSurge: '25%' } },
    },
  };
  assert.equal(deployment.spec?.template.spec?.containers[0]?.name, 'c');
  assert.equal(phase, undefined);
  assert.equal(PODS.shortNames[0], 'po');
});
