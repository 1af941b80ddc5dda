import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isApiError } from '@ballast/kube';
import fc from 'fast-check';
import { parsePath } from './request-info.ts';

const empty = { kind: 'resource', group: '', version: 'v1', namespace: '', name: '', subresource: '', rest: '' };

const CASES: readonly [path: string, expected: object][] = [
  ['/api/v1/nodes', { ...empty, plural: 'nodes' }],
  ['/api/v1/nodes/n1/proxy/logs/a', { ...empty, plural: 'nodes', name: 'n1', subresource: 'proxy', rest: '/logs/a' }],
  ['/api/v1/namespaces', { ...empty, plural: 'namespaces' }],
  ['/api/v1/namespaces/a', { ...empty, plural: 'namespaces', namespace: 'a', name: 'a' }],
  [
    '/api/v1/namespaces/a/finalize',
    { ...empty, plural: 'namespaces', namespace: 'a', name: 'a', subresource: 'finalize' },
  ],
  ['/api/v1/namespaces/a/pods', { ...empty, plural: 'pods', namespace: 'a' }],
  ['/api/v1/namespaces/a/pods/p/log', { ...empty, plural: 'pods', namespace: 'a', name: 'p', subresource: 'log' }],
  [
    '/api/v1/namespaces/a/services/https:web:443/proxy/',
    { ...empty, plural: 'services', namespace: 'a', name: 'https:web:443', subresource: 'proxy', rest: '/' },
  ],
  ['/apis/apps/v1/deployments', { ...empty, group: 'apps', plural: 'deployments' }],
  [
    '/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode',
    { ...empty, group: 'rbac.authorization.k8s.io', plural: 'clusterroles', name: 'system:node' },
  ],
  ['/api', { kind: 'path', path: '/api' }],
  ['/apis/apps/v1', { kind: 'path', path: '/apis/apps/v1' }],
  ['/healthz', { kind: 'path', path: '/healthz' }],
];

for (const [path, expected] of CASES) test(`reads ${path}`, () => assert.deepEqual(parsePath(path), expected));

test('any text is a path, or a bad request', () => {
  fc.assert(
    fc.property(fc.string(), fc.boolean(), (text, core) => {
      try {
        parsePath(`/${core ? 'api' : 'apis'}/${text}`);
      } catch (error) {
        assert.ok(isApiError(error, 'BadRequest'));
      }
    }),
  );
});
