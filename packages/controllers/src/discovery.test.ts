import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FakeClient } from '@ballast/kube';
import { discover } from './discovery.ts';

suite('discover', () => {
  const verbs = ['delete', 'list', 'watch'];
  test('each resource is found once, in the preferred version; a group that fails is named', async () => {
    const client = new FakeClient();
    const versions = ['v2', 'v1'].map((version) => ({ version, groupVersion: `x/${version}` }));
    client.documents.set('/apis', {
      groups: [
        { name: 'x', versions, preferredVersion: { version: 'v1' } },
        { name: 'broken', versions: [{ version: 'v1', groupVersion: 'broken/v1' }] },
      ],
    });
    const resources = [
      { name: 'things', kind: 'Thing', namespaced: true, verbs },
      { name: 'things/status', kind: 'Thing', namespaced: true, verbs: ['get'] },
    ];
    for (const path of ['/api/v1', '/apis/x/v1', '/apis/x/v2']) client.documents.set(path, { resources });
    const found = await discover(client);
    assert.deepEqual(
      found.resources.map(({ group, version, plural }) => `${group}/${version}/${plural}`),
      ['/v1/things', 'x/v1/things'],
    );
    assert.equal(found.failures.length, 1);
  });
});
