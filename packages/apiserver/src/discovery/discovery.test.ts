import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BUILT_IN_RESOURCES } from '../resources/index.ts';
import { aggregatedDiscovery } from './aggregated.ts';
import { compareVersions, groupsOf, resourceList } from './legacy.ts';

test('versions are ordered newest and most stable first, others by name after them', () => {
  const versions = ['foo10', 'v1beta1', 'v2', 'v1alpha1', 'v10', 'v1', 'foo1', 'v1beta10', 'v1alpha2'];
  assert.deepEqual(versions.sort(compareVersions), [
    'v10',
    'v2',
    'v1',
    'v1beta10',
    'v1beta1',
    'v1alpha2',
    'v1alpha1',
    'foo1',
    'foo10',
  ]);
});

test('both forms of discovery name the same resources', () => {
  const legacy = groupsOf(BUILT_IN_RESOURCES).flatMap(({ group, versions }) =>
    versions.flatMap((version) => {
      const list = resourceList(BUILT_IN_RESOURCES, group === '' ? version : `${group}/${version}`) as {
        resources: { name: string }[];
      };
      return list.resources.filter(({ name }) => !name.includes('/')).map(({ name }) => `${group}/${version}/${name}`);
    }),
  );
  const aggregated = [true, false].flatMap((core) => {
    const document = aggregatedDiscovery(BUILT_IN_RESOURCES, core) as {
      items: { metadata: { name: string }; versions: { version: string; resources: { resource: string }[] }[] }[];
    };
    return document.items.flatMap(({ metadata, versions }) =>
      versions.flatMap(({ version, resources }) =>
        resources.map(({ resource }) => `${metadata.name}/${version}/${resource}`),
      ),
    );
  });
  assert.deepEqual(legacy.sort(), aggregated.sort());
});
