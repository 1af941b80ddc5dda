import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AccessRequest, authorize } from './authorize.ts';
import { ANONYMOUS, type Identity } from './identity.ts';

const pods: AccessRequest = {
  kind: 'resource',
  verb: 'list',
  resource: { group: '', plural: 'pods' },
  subresource: '',
  namespace: 'default',
  name: '',
};
const review = {
  ...pods,
  verb: 'create',
  resource: { group: 'authorization.k8s.io', plural: 'selfsubjectaccessreviews' },
};
const path = (text: string): AccessRequest => ({ kind: 'path', verb: 'get', path: text });
const who = (name: string, ...groups: string[]): Identity => ({ name, groups: [...groups, 'system:authenticated'] });

const CASES: readonly [name: string, identity: Identity, request: AccessRequest, allowed: boolean][] = [
  ['system:masters may do anything', who('x', 'system:masters'), pods, true],
  ['system components may do anything', who('system:kube-scheduler'), pods, true],
  ['nodes may do anything yet', who('system:node:n1', 'system:nodes'), pods, true],
  ['ServiceAccounts of kube-system may do anything', who('system:serviceaccount:kube-system:a'), pods, true],
  ['other ServiceAccounts may not', who('system:serviceaccount:default:a'), pods, false],
  ['users may not', who('jane', 'developers'), pods, false],
  ['users may ask what they may', who('jane'), review, true],
  ['users may read discovery', who('jane'), path('/apis/apps/v1'), true],
  ['users may not read other paths', who('jane'), path('/metrics'), false],
  ['nobody in particular may read health and version', ANONYMOUS, path('/readyz/ping'), true],
  ['nobody in particular may not read discovery', ANONYMOUS, path('/api'), false],
  ['nobody in particular may not ask', ANONYMOUS, review, false],
  ['a path that merely begins like a public one is not public', ANONYMOUS, path('/healthzz'), false],
];

for (const [name, identity, request, allowed] of CASES) {
  test(name, () => assert.equal(authorize(identity, request).allowed, allowed));
}
