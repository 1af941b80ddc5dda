import { badRequest } from '../object/failures.ts';

/** What a path of the API names. */
export type RequestInfo =
  | {
      readonly kind: 'resource';
      readonly group: string;
      readonly version: string;
      readonly plural: string;
      readonly namespace: string;
      readonly name: string;
      readonly subresource: string;
      /** What follows the subresource, for proxies: '/index.html', or ''. */
      readonly rest: string;
    }
  | { readonly kind: 'path'; readonly path: string };

/** Subresources of a namespace itself; any other name after a namespace is a resource inside it. */
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

/** Reads '/api/v1/...' and '/apis/GROUP/VERSION/...'; everything else is a plain path. */
export function parsePath(path: string): RequestInfo {
  const segments = path.split('/');
  const core = segments[1] === 'api';
  if (!core && segments[1] !== 'apis') return { kind: 'path', path };
  const start = core ? 3 : 4;
  const decoded = segments.slice(0, start + 5).map(decode);
  const group = core ? '' : (decoded[2] ?? '');
  const version = decoded[start - 1] ?? '';
  let at = start;
  let namespace = '';
  if (!decoded[at]) return { kind: 'path', path };
  if (decoded[at] === 'namespaces' && decoded[at + 2] && !NAMESPACE_SUBRESOURCES.has(decoded[at + 2] ?? '')) {
    namespace = decoded[at + 1] ?? '';
    at += 2;
  }
  const plural = decoded[at] ?? '';
  const name = decoded[at + 1] ?? '';
  const subresource = decoded[at + 2] ?? '';
  const rest = segments.length > at + 3 ? `/${segments.slice(at + 3).join('/')}` : '';
  if (plural === 'namespaces') namespace = name;
  return { kind: 'resource', group, version, plural, namespace, name, subresource, rest };
}

function decode(segment: string): string {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    throw badRequest(`the path segment ${JSON.stringify(segment)} is not valid percent-encoding`);
  }
}
