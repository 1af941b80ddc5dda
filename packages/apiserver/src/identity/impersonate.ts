import type { IncomingMessage } from 'node:http';
import { badRequest } from '../object/failures.ts';
import { requireAccess } from './authorize.ts';
import type { Identity } from './identity.ts';

const EXTRA = 'impersonate-extra-';

/**
 * The identity a request acts as: `identity` itself, or the one that its Impersonate-* headers name (kubectl --as), if it may take that
 * on. 403 when it may not. A front end that authenticates its users itself relies on these headers never being passed over.
 */
export function impersonated(identity: Identity, headers: IncomingMessage['headers']): Identity {
  const name = textOf(headers['impersonate-user']);
  const uid = textOf(headers['impersonate-uid']);
  const groups = listOf(headers['impersonate-group']);
  const extra = Object.keys(headers).filter((header) => header.startsWith(EXTRA));
  if (name === '') {
    if (uid !== '' || groups.length > 0 || extra.length > 0)
      throw badRequest('requested impersonation of a group, uid or extra without impersonating a user');
    return identity;
  }
  const [, namespace = '', account = ''] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(name) ?? [];
  const wanted = [
    account === '' ? { plural: 'users', name } : { plural: 'serviceaccounts', name: account },
    ...groups.map((group) => ({ plural: 'groups', name: group })),
    ...(uid === '' ? [] : [{ plural: 'uids', name: uid }]),
    ...extra.map((header) => ({ plural: 'userextras', name: header.slice(EXTRA.length) })),
  ];
  for (const what of wanted) {
    requireAccess(identity, {
      kind: 'resource',
      verb: 'impersonate',
      resource: { group: '', plural: what.plural },
      subresource: '',
      namespace: what.plural === 'serviceaccounts' ? namespace : '',
      name: what.name,
    });
  }
  const implied =
    account === '' || groups.length > 0 ? [] : ['system:serviceaccounts', `system:serviceaccounts:${namespace}`];
  const every = name === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated';
  return {
    name,
    ...(uid === '' ? {} : { uid }),
    groups: [...new Set([...groups, ...implied, every])],
    extra: Object.fromEntries(extra.map((header) => [decoded(header.slice(EXTRA.length)), listOf(headers[header])])),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function textOf(value: string | string[] | undefined): string {
  return [value ?? ''].flat()[0] ?? '';
}

/** Node joins repeated headers with ', '. */
function listOf(value: string | string[] | undefined): string[] {
  return [value ?? []]
    .flat()
    .flatMap((text) => text.split(', '))
    .filter((text) => text !== '');
}
