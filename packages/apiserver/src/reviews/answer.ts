import { apiVersionOf } from '@ballast/kube';
import type { ResourceCall } from '../endpoints/resource-endpoint.ts';
import { readObject } from '../http/body.ts';
import { sendJson } from '../http/respond.ts';
import type { Identity } from '../identity/identity.ts';
import type { ApiObject } from '../object/api-object.ts';

export function readReview({ exchange, resource }: ResourceCall): Promise<ApiObject> {
  return readObject(exchange.request, resource.schema);
}

/** The review with its status. */
export function sendReview({ exchange, resource }: ResourceCall, review: ApiObject, status: object): Promise<void> {
  const { metadata, spec } = review;
  const { kind } = resource;
  return sendJson(exchange, 201, {
    kind,
    apiVersion: apiVersionOf(resource),
    metadata,
    ...(spec === undefined ? {} : { spec }),
    status,
  });
}

/** authentication.k8s.io/v1 UserInfo. */
export function userInfo(identity: Identity): object {
  const { name, uid, groups, extra } = identity;
  return { username: name, ...(uid ? { uid } : {}), groups, ...(extra ? { extra } : {}) };
}
