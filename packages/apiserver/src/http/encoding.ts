import { apiVersionOf } from '@ballast/kube';
import type { CachedObject } from '../cache/cached-object.ts';
import type { CacheEvent } from '../cache/resource-cache.ts';
import { withApiVersion } from '../object/stored-form.ts';
import type { ObjectList } from '../operations/list.ts';
import { viewOf } from '../operations/update.ts';
import type { ResourceDefinition } from '../resources/definition.ts';
import type { Representation } from './media-type.ts';
import { tableOf } from './table-form.ts';

/** The JSON that answers a GET of this object in this resource's version. Usually the very bytes in the cache. */
export function objectBytes(resource: ResourceDefinition, object: CachedObject): Buffer {
  if (resource.view) return Buffer.from(JSON.stringify(viewOf(object, { resource })));
  const apiVersion = apiVersionOf(resource);
  return apiVersion === resource.storageVersion ? object.bytes : withApiVersion(object.bytes, apiVersion);
}

function partialMetadata(resource: ResourceDefinition, object: CachedObject, version: string): object {
  const { metadata } = viewOf(object, { resource });
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata };
}

/** How much of each object a Table carries beside the cells. */
export type IncludeObject = 'None' | 'Metadata' | 'Object';

export interface AnswerForm {
  readonly representation: Representation;
  readonly includeObject: IncludeObject;
  /** The present, in milliseconds since 1970: ages in tables are reckoned from it. */
  readonly now: () => number;
}

/** One object in the form that was asked for. */
export function encodeObject(resource: ResourceDefinition, object: CachedObject, form: AnswerForm): Buffer {
  switch (form.representation.as) {
    case 'Table':
      return Buffer.from(JSON.stringify(tableOf(resource, [object], form)));
    case 'PartialObjectMetadata':
    case 'PartialObjectMetadataList':
      return Buffer.from(JSON.stringify(partialMetadata(resource, object, form.representation.version)));
    case 'Object':
      return objectBytes(resource, object);
  }
}

const COMMA = Buffer.from(',');
const LIST_END = Buffer.from(']}');

/** A list joins the bytes of its objects. */
export function encodeList(resource: ResourceDefinition, list: ObjectList, form: AnswerForm): Buffer {
  const metadata = {
    resourceVersion: String(list.revision),
    ...(list.continueToken === undefined ? {} : { continue: list.continueToken }),
    ...(list.remaining === undefined ? {} : { remainingItemCount: list.remaining }),
  };
  const { as, version } = form.representation;
  if (as === 'Table') return Buffer.from(JSON.stringify({ ...tableOf(resource, list.objects, form), metadata }));
  if (as !== 'Object') {
    const items = list.objects.map((object) => partialMetadata(resource, object, version));
    return Buffer.from(
      JSON.stringify({ kind: 'PartialObjectMetadataList', apiVersion: `meta.k8s.io/${version}`, metadata, items }),
    );
  }
  const head = JSON.stringify({ kind: resource.listKind, apiVersion: apiVersionOf(resource), metadata });
  const parts: Buffer[] = [Buffer.from(`${head.slice(0, -1)},"items":[`)];
  for (const [i, object] of list.objects.entries()) {
    if (i > 0) parts.push(COMMA);
    parts.push(objectBytes(resource, object));
  }
  parts.push(LIST_END);
  return Buffer.concat(parts);
}

/** Encodings of one event for one form, so that all watchers who want the same share one. */
export function eventFrame(
  resource: ResourceDefinition,
  form: AnswerForm,
  type: CacheEvent['type'],
  object: CachedObject,
): Buffer {
  return frame(type, encodeObject(resource, object, form));
}

/** Names a form among the frames of an event. */
export function formKey(resource: ResourceDefinition, form: AnswerForm): string {
  const { as, version } = form.representation;
  return `${apiVersionOf(resource)} ${as} ${version} ${form.includeObject}`;
}

/** One line of a watch: {"type":"ADDED","object":...}. */
export function frame(type: string, object: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), object, Buffer.from('}\n')]);
}

export function bookmarkFrame(
  resource: ResourceDefinition,
  form: AnswerForm,
  revision: number,
  initialEnd: boolean,
): Buffer {
  const annotations = initialEnd ? { annotations: { 'k8s.io/initial-events-end': 'true' } } : {};
  const metadata = { resourceVersion: String(revision), creationTimestamp: null, ...annotations };
  const { as, version } = form.representation;
  const object =
    as === 'Table'
      ? {
          kind: 'Table',
          apiVersion: `meta.k8s.io/${version}`,
          metadata: { resourceVersion: String(revision) },
          columnDefinitions: [],
          rows: initialEnd
            ? [{ cells: [], object: { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata } }]
            : [],
        }
      : as === 'Object'
        ? { kind: resource.kind, apiVersion: apiVersionOf(resource), metadata }
        : { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata };
  return frame('BOOKMARK', Buffer.from(JSON.stringify(object)));
}
