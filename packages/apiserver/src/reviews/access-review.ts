import type { ResourceCall } from '../endpoints/resource-endpoint.ts';
import { type AccessRequest, authorize } from '../identity/authorize.ts';
import type { Identity } from '../identity/identity.ts';
import { type ApiObject, listAt, objectAt, textAt } from '../object/api-object.ts';
import { badRequest } from '../object/failures.ts';
import { readReview, sendReview } from './answer.ts';

/** May this user do that? */
export async function serveAccessReview(call: ResourceCall): Promise<void> {
  const review = await readReview(call);
  const name = textAt(review, 'spec', 'user') ?? '';
  const groups = listAt(review, 'spec', 'groups').map(String);
  if (name === '' && groups.length === 0) throw badRequest('at least one of user or group must be specified');
  await answer(call, review, { name, groups });
}

/** May I do that? (`kubectl auth can-i`) */
export async function serveSelfAccessReview(call: ResourceCall): Promise<void> {
  await answer(call, await readReview(call), call.exchange.identity);
}

async function answer(call: ResourceCall, review: ApiObject, identity: Identity): Promise<void> {
  const decision = authorize(identity, accessRequestOf(review));
  await sendReview(call, review, {
    allowed: decision.allowed,
    ...(decision.reason === '' ? {} : { reason: decision.reason }),
  });
}

function accessRequestOf(review: ApiObject): AccessRequest {
  const resource = objectAt(review, 'spec', 'resourceAttributes');
  const path = objectAt(review, 'spec', 'nonResourceAttributes');
  if (path && !resource) return { kind: 'path', verb: textAt(path, 'verb') ?? '', path: textAt(path, 'path') ?? '' };
  if (!resource || path)
    throw badRequest('exactly one of nonResourceAttributes or resourceAttributes must be specified');
  return {
    kind: 'resource',
    verb: textAt(resource, 'verb') ?? '',
    resource: { group: textAt(resource, 'group') ?? '', plural: textAt(resource, 'resource') ?? '' },
    subresource: textAt(resource, 'subresource') ?? '',
    namespace: textAt(resource, 'namespace') ?? '',
    name: textAt(resource, 'name') ?? '',
  };
}
