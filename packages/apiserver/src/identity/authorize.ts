import { failure, type NamedResource, qualifiedName } from '../object/failures.ts';
import { type Identity, isAnonymous } from './identity.ts';

/** What is asked for, as authorisation sees it. */
export type AccessRequest =
  | {
      readonly kind: 'resource';
      readonly verb: string;
      readonly resource: NamedResource;
      readonly subresource: string;
      readonly namespace: string;
      readonly name: string;
    }
  | { readonly kind: 'path'; readonly verb: string; readonly path: string };

export type Decision =
  | { readonly allowed: true; readonly reason: string }
  | { readonly allowed: false; readonly reason: string };

/** Readable by everyone, also without an identity. */
const PUBLIC_PATHS = /^\/(healthz|livez|readyz|version)(\/|$)/;
/** Readable by everyone who has an identity. */
const DISCOVERY_PATHS = /^\/(api|apis|openapi|\.well-known\/openid-configuration|openid\/v1\/jwks)(\/|$)/;
/** What everyone may ask about himself. */
const SELF_REVIEWS = /^self(subjectaccessreviews|subjectrulesreviews|subjectreviews)$/;

/** A rule says yes, or nothing; the first yes counts. */
type Rule = (identity: Identity, request: AccessRequest) => string | undefined;

const publicPaths: Rule = (_identity, request) =>
  request.kind === 'path' && PUBLIC_PATHS.test(request.path) ? 'the path is public' : undefined;

const discoveryPaths: Rule = (identity, request) =>
  !isAnonymous(identity) && request.kind === 'path' && request.verb === 'get' && DISCOVERY_PATHS.test(request.path)
    ? 'discovery is open to every identity'
    : undefined;

const selfReviews: Rule = (identity, request) =>
  !isAnonymous(identity) &&
  request.kind === 'resource' &&
  request.verb === 'create' &&
  SELF_REVIEWS.test(request.resource.plural)
    ? 'everyone may ask about himself'
    : undefined;

const administrators: Rule = (identity) => (identity.groups.includes('system:masters') ? 'system:masters' : undefined);

/** Components of the platform: certificates that the cluster's CA gave a system name, and ServiceAccounts of kube-system. */
const systemComponents: Rule = ({ name }) => {
  if (name.startsWith('system:serviceaccount:')) {
    return name.startsWith('system:serviceaccount:kube-system:') ? 'a ServiceAccount of kube-system' : undefined;
  }
  return name.startsWith('system:') && name !== 'system:anonymous' ? 'a system component' : undefined;
};

/** In order. Stored RBAC objects are not evaluated yet. */
const RULES: readonly Rule[] = [administrators, systemComponents, publicPaths, discoveryPaths, selfReviews];

export function authorize(identity: Identity, request: AccessRequest): Decision {
  for (const rule of RULES) {
    const reason = rule(identity, request);
    if (reason !== undefined) return { allowed: true, reason };
  }
  return { allowed: false, reason: '' };
}

/** Throws what a client that may not do this gets: 401 without an identity, else 403 in upstream's words. */
export function requireAccess(identity: Identity, request: AccessRequest): void {
  const decision = authorize(identity, request);
  if (decision.allowed) return;
  if (isAnonymous(identity)) throw failure('Unauthorized', 'Unauthorized');
  const user = JSON.stringify(identity.name);
  if (request.kind === 'path') {
    throw failure(
      'Forbidden',
      `forbidden: User ${user} cannot ${request.verb} path ${JSON.stringify(request.path)}`,
      {},
    );
  }
  const { resource, subresource, verb, namespace, name } = request;
  const what = subresource === '' ? resource.plural : `${resource.plural}/${subresource}`;
  const where = namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`;
  const subject =
    name === '' ? `${qualifiedName(resource)} is forbidden` : `${qualifiedName(resource)} "${name}" is forbidden`;
  throw failure(
    'Forbidden',
    `${subject}: User ${user} cannot ${verb} resource ${JSON.stringify(what)} in API group ${JSON.stringify(resource.group)} ${where}`,
    {
      ...(name === '' ? {} : { name }),
      ...(resource.group === '' ? {} : { group: resource.group }),
      kind: resource.plural,
    },
  );
}
