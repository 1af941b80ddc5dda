import { StoreError } from '@ballast/store';
import { CachedObject, type Selection } from '../cache/cached-object.ts';
import type { Kernel } from '../kernel.ts';
import { badRequest, expired, failure, invalid, versionTooLarge } from '../object/failures.ts';
import { forbiddenValue } from '../object/field-problems.ts';
import type { ResourceDefinition } from '../resources/definition.ts';
import { parseSelection, selectsAll } from './selection.ts';
import { waitForRevision } from './wait-for-revision.ts';

export interface ObjectList {
  readonly objects: readonly CachedObject[];
  /** What the list's metadata.resourceVersion says. */
  readonly revision: number;
  readonly continueToken?: string;
  readonly remaining?: number;
}

/** Where the next page starts, and of which revision the list is. `revision` -1: of whatever is present then. */
interface ContinueToken {
  readonly revision: number;
  readonly after: string;
}

export function formatContinue(token: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: 'ballast/1', rv: token.revision, after: token.after })).toString('base64url');
}

export function parseContinue(text: string): ContinueToken {
  try {
    const value = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as {
      v?: unknown;
      rv?: unknown;
      after?: unknown;
    };
    if (
      value.v === 'ballast/1' &&
      Number.isSafeInteger(value.rv) &&
      typeof value.rv === 'number' &&
      typeof value.after === 'string'
    ) {
      return { revision: value.rv, after: value.after };
    }
  } catch {
    // Falls through to the same answer as a token of another shape.
  }
  throw badRequest('continue key is not valid: it was not given out by this server');
}

/** Lists as the query asks: present or past, whole or in pages of one revision. */
export async function listObjects(
  kernel: Kernel,
  resource: ResourceDefinition,
  namespace: string,
  query: URLSearchParams,
): Promise<ObjectList> {
  const selection = parseSelection(query, resource, namespace);
  const limit = Math.max(0, Number(query.get('limit') ?? 0) || 0);
  const token = query.get('continue') ?? '';
  const version = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  requireConsistentOptions({ version, match, token });
  if (version !== '' && !/^[0-9]+$/.test(version)) {
    throw badRequest(`Invalid value: ${JSON.stringify(version)}: resourceVersion must be a decimal number`);
  }
  if (token !== '') {
    const { revision, after } = parseContinue(token);
    return pageFrom(kernel, resource, selection, { revision, after, limit });
  }
  const asked = Number(version || 0);
  if (asked > 0) await waitForRevision(kernel, asked);
  if (match === 'Exact') return pageFrom(kernel, resource, selection, { revision: asked, after: '', limit });
  return presentPage(kernel, resource, selection, { after: '', limit });
}

function requireConsistentOptions(options: { version: string; match: string; token: string }): void {
  const { version, match, token } = options;
  const refuse = (detail: string) =>
    invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', [forbiddenValue('resourceVersionMatch', detail)]);
  if (match === '') return;
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    throw refuse(`resourceVersionMatch is not one of Exact, NotOlderThan: ${match}`);
  }
  if (token !== '') throw refuse('resourceVersionMatch is forbidden when continue is provided');
  if (version === '') throw refuse('resourceVersionMatch is forbidden unless resourceVersion is provided');
  if (match === 'Exact' && version === '0')
    throw refuse('resourceVersionMatch "Exact" is forbidden for resourceVersion "0"');
}

interface Page {
  readonly after: string;
  /** 0: everything. */
  readonly limit: number;
}

function presentPage(kernel: Kernel, resource: ResourceDefinition, selection: Selection, page: Page): ObjectList {
  const cache = kernel.cache.of(resource.storageKey);
  const revision = kernel.cache.revision;
  if (page.limit === 0 && page.after === '') return { objects: cache.select(selection), revision };
  const objects: CachedObject[] = [];
  for (const object of cache.objects(selection.namespace, page.after)) {
    if (!object.matches(selection)) continue;
    if (page.limit > 0 && objects.length === page.limit) {
      const remaining = selectsAll(selection) && page.after === '' ? { remaining: cache.size - page.limit } : {};
      const after = objects.at(-1)?.key ?? '';
      return { objects, revision, continueToken: formatContinue({ revision, after }), ...remaining };
    }
    objects.push(object);
  }
  return { objects, revision };
}

/** A page at a revision of the past: from memory when nothing of this resource changed since, else from the store's history. */
async function pageFrom(
  kernel: Kernel,
  resource: ResourceDefinition,
  selection: Selection,
  page: Page & { revision: number },
): Promise<ObjectList> {
  const { revision, after, limit } = page;
  if (revision > kernel.cache.revision) throw versionTooLarge(revision, kernel.cache.revision);
  if (revision < 0) return presentPage(kernel, resource, selection, page);
  if (kernel.cache.of(resource.storageKey).lastChange <= revision && revision <= kernel.cache.revision) {
    const list = presentPage(kernel, resource, selection, page);
    const next = list.continueToken
      ? { continueToken: formatContinue({ revision, after: list.objects.at(-1)?.key ?? '' }) }
      : {};
    return { ...list, revision, ...next };
  }
  const prefix = `${resource.storageKey}/${selection.namespace === undefined ? '' : `${selection.namespace}/`}`;
  const objects: CachedObject[] = [];
  const skip = resource.storageKey.length + 1;
  let from = after === '' ? undefined : `${resource.storageKey}/${after}`;
  try {
    for (;;) {
      const chunk = await kernel.store.range({ prefix, after: from, revision, limit: 1000 });
      for (const entry of chunk.entries) {
        const object = CachedObject.fromStored(entry.key.slice(skip), entry.revision, entry.value);
        if (!object.matches(selection)) continue;
        if (limit > 0 && objects.length === limit) {
          return { objects, revision, continueToken: formatContinue({ revision, after: objects.at(-1)?.key ?? '' }) };
        }
        objects.push(object);
      }
      if (!chunk.more) return { objects, revision };
      from = chunk.entries.at(-1)?.key;
    }
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== 'compacted') throw error;
    if (after === '') throw expired(`The resourceVersion for the provided list is too old.`);
    throw expiredContinue(after);
  }
}

/** 410 with a token that continues in the present: not consistent with the pages before, but the client may prefer it to starting over. */
function expiredContinue(after: string): Error {
  const error = failure(
    'Expired',
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  );
  if (error.status) error.status.metadata = { continue: formatContinue({ revision: -1, after }) };
  return error;
}
