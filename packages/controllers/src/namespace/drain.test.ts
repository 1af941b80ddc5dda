import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FakeClient, PODS } from '@ballast/kube';
import { drainNamespace } from './drain.ts';

suite('drainNamespace', () => {
  const verbs = ['delete', 'list', 'watch'];
  test('pods go before what they may still use', async () => {
    const client = new FakeClient();
    const secrets = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true, verbs };
    await client.create(PODS, { metadata: { name: 'p', namespace: 'n' }, spec: { containers: [], nodeName: 'x' } });
    await client.create(secrets, { metadata: { name: 's', namespace: 'n' } });
    const first = await drainNamespace(client, 'n', [secrets, { ...PODS, verbs }]);
    assert.deepEqual([...first.counts], [['pods', 1]]);
    assert.equal((await client.list(secrets)).items.length, 1);
    client.forceRemove(PODS, { namespace: 'n', name: 'p' });
    const second = await drainNamespace(client, 'n', [secrets, { ...PODS, verbs }]);
    assert.equal(second.counts.size, 0);
    assert.equal((await client.list(secrets)).items.length, 0);
  });
});
