import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONFIG_MAPS } from '@ballast/kube';
import { startTestServer } from './testdata/test-server.ts';

test('/metrics counts requests by what was asked for and answered, for who is authorised', async () => {
  await using api = await startTestServer();
  const path = '/api/v1/namespaces/default/configmaps';
  await api.call('POST', path, { body: { metadata: { name: 'a' } } });
  await api.call('GET', `${path}/missing`);
  await api.call('GET', '/api/v1/configmaps');
  await api.call('GET', '/apis/made.up/v1/things/x');
  await api.call('GET', '/api/v1/namespaces/%ff/configmaps');
  const stop = new AbortController();
  const events = api.client.watch(CONFIG_MAPS, { namespace: 'default', signal: stop.signal })[Symbol.asyncIterator]();
  await events.next();
  const { code, text } = await api.call('GET', '/metrics');
  assert.equal(code, 200);
  const labels = (verb: string, scope: string) =>
    `verb="${verb}",group="",version="v1",resource="configmaps",subresource="",scope="${scope}"`;
  for (const line of [
    `apiserver_request_total{${labels('POST', 'namespace')},code="201"} 1`,
    `apiserver_request_total{${labels('GET', 'resource')},code="404"} 1`,
    `apiserver_request_total{${labels('LIST', 'cluster')},code="200"} 1`,
    `apiserver_longrunning_requests{${labels('WATCH', 'namespace')}} 1`,
    'apiserver_storage_objects{resource="configmaps"} 1',
  ]) {
    assert.ok(text.includes(`${line}\n`), `${line} is missing in\n${text}`);
  }
  assert.doesNotMatch(text, /made\.up/);
  stop.abort();
  await events.return?.();
  assert.equal((await api.call('GET', '/metrics', { user: '' })).code, 401);
  assert.equal((await api.call('GET', '/metrics', { user: 'developer' })).code, 403);
});
