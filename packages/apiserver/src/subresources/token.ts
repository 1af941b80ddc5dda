import type { ResourceCall } from '../endpoints/resource-endpoint.ts';
import { readObject } from '../http/body.ts';
import { sendJson } from '../http/respond.ts';
import type { BoundObject } from '../identity/service-account-tokens.ts';
import { type ApiObject, formatTime, listAt, numberAt, objectAt, textAt } from '../object/api-object.ts';
import { badRequest, conflict, invalid, methodNotAllowed, notFound } from '../object/failures.ts';
import { invalidValue } from '../object/field-problems.ts';
import type { SubresourceHandler } from './index.ts';
import { schemaOfSubresource } from './schema-of-subresource.ts';

const DEFAULT_SECONDS = 3600;
const MIN_SECONDS = 600;
const MAX_SECONDS = 2 ** 32;

/** authentication.k8s.io/v1 TokenRequest: a token of this ServiceAccount for audiences, bound to an object's life. */
export const serveToken: SubresourceHandler = async (call, verb) => {
  if (verb !== 'create') throw methodNotAllowed();
  const { kernel, resource, path, exchange } = call;
  const request = await readObject(exchange.request, schemaOfSubresource(call));
  const account = kernel.cache.of(resource.storageKey).get(`${path.namespace}/${path.name}`)?.parse();
  if (!account) throw notFound(resource, path.name);
  const lifetimeSeconds = numberAt(request, 'spec', 'expirationSeconds') ?? DEFAULT_SECONDS;
  requireLifetime(lifetimeSeconds);
  const asked = listAt(request, 'spec', 'audiences').map(String);
  const audiences = asked.length > 0 ? asked : [kernel.tokens.issuer];
  const { bound, node } = findBoundObject(call, request);
  const { token, expiresMs } = await kernel.tokens.issue({
    namespace: path.namespace,
    name: path.name,
    uid: account.metadata.uid ?? '',
    audiences,
    lifetimeSeconds,
    bound,
    node,
  });
  const reference = objectAt(request, 'spec', 'boundObjectRef');
  await sendJson(exchange, 201, {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name: path.name, namespace: path.namespace, creationTimestamp: formatTime(kernel.clock.nowMs()) },
    spec: { audiences, expirationSeconds: lifetimeSeconds, ...(reference ? { boundObjectRef: reference } : {}) },
    status: { token, expirationTimestamp: formatTime(expiresMs) },
  });
};

function requireLifetime(seconds: number): void {
  const wrong =
    seconds < MIN_SECONDS
      ? 'may not specify a duration less than 10 minutes'
      : seconds > MAX_SECONDS
        ? 'may not specify a duration larger than 2^32 seconds'
        : undefined;
  if (wrong === undefined) return;
  throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', [
    invalidValue('spec.expirationSeconds', seconds, wrong),
  ]);
}

const BOUND_KINDS = { Pod: 'pods', Secret: 'secrets', Node: 'nodes' } as const;

/** The object a token shall be bound to; it must exist, have the uid that was named, and (a pod) run as this account. */
function findBoundObject(
  { kernel, path }: ResourceCall,
  request: ApiObject,
): { bound?: BoundObject; node?: { name: string; uid: string } } {
  const reference = objectAt(request, 'spec', 'boundObjectRef');
  if (!reference) return {};
  const kind = textAt(reference, 'kind');
  const name = textAt(reference, 'name') ?? '';
  if (kind !== 'Pod' && kind !== 'Secret' && kind !== 'Node') {
    throw badRequest(`cannot bind token for serviceaccount ${JSON.stringify(path.name)} to object of type ${kind}`);
  }
  const plural = BOUND_KINDS[kind];
  const object = kernel.cache
    .of(plural)
    .get(kind === 'Node' ? name : `${path.namespace}/${name}`)
    ?.parse();
  if (!object) throw notFound({ group: '', plural }, name);
  const uid = object.metadata.uid ?? '';
  const wanted = textAt(reference, 'uid');
  if (wanted && wanted !== uid) {
    const why = `the UID in the bound object reference (${wanted}) does not match the UID in record. The object might have been deleted and then recreated`;
    throw conflict({ group: '', plural }, name, why);
  }
  if (kind === 'Pod' && textAt(object, 'spec', 'serviceAccountName') !== path.name) {
    throw badRequest(
      `cannot bind token for serviceaccount ${JSON.stringify(path.name)} to pod running with different serviceaccount name.`,
    );
  }
  const nodeName = kind === 'Pod' ? textAt(object, 'spec', 'nodeName') : undefined;
  const node = nodeName ? kernel.cache.of('nodes').get(nodeName)?.parse() : undefined;
  return {
    bound: { kind, name, uid },
    ...(node ? { node: { name: node.metadata.name, uid: node.metadata.uid ?? '' } } : {}),
  };
}
