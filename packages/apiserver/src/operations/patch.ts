import { apiVersionOf } from '@ballast/kube';
import { applyServerSide, conflictText, ListMergeError } from '../apply/index.ts';
import { parseBody, withMetadata } from '../http/body.ts';
import { type ApiObject, isJsonObject, type JsonObject } from '../object/api-object.ts';
import { badRequest, failure, invalid, notFound } from '../object/failures.ts';
import { requiredValue } from '../object/field-problems.ts';
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch, PatchError } from '../patch/index.ts';
import type { ResourceDefinition } from '../resources/definition.ts';
import { decode } from '../validation/index.ts';
import { fieldsOutOfReach, reportUnknownFields } from './decoding.ts';
import { settleIdentityOf } from './object-form.ts';
import { type UpdateOutcome, updateObject } from './update.ts';
import type { WriteContext } from './write-context.ts';

export interface PatchRequest {
  /** The media type, which says what kind of patch it is. */
  readonly type: string;
  readonly body: Buffer;
  /** Server-side apply: take over fields that others own. */
  readonly force: boolean;
}

const JSON_PATCH = 'application/json-patch+json';
const MERGE_PATCH = 'application/merge-patch+json';
const STRATEGIC_PATCH = 'application/strategic-merge-patch+json';
const APPLY_PATCHES = ['application/apply-patch+yaml', 'application/apply-patch+cbor'];

/** Changes an object by a patch; an apply patch also creates it. */
export function patchObject(request: PatchRequest, context: WriteContext): Promise<UpdateOutcome> {
  if (APPLY_PATCHES.includes(request.type)) return applyObject(request, context);
  return updateObject(
    {
      createWhenMissing: false,
      transform: (current) => {
        if (!current) throw notFound(context.resource, context.name);
        return applyPatchBody(current, request, context.resource);
      },
    },
    context,
  );
}

/** The object after a patch other than apply. The version is pinned only when the patch names one. */
export function applyPatchBody(
  current: ApiObject,
  request: Pick<PatchRequest, 'type' | 'body'>,
  resource: Pick<ResourceDefinition, 'schema' | 'custom'> | undefined,
): ApiObject {
  const patch = parsePatch(request, resource);
  const { resourceVersion } = current.metadata;
  const patched = runPatch(current, request.type, patch, resource);
  if (!isJsonObject(patched)) throw badRequest('the patch does not leave an object');
  const object = withMetadata(patched);
  const named = isJsonObject(patch) && isJsonObject(patch.metadata) && patch.metadata.resourceVersion !== undefined;
  if (!named && object.metadata.resourceVersion === resourceVersion) {
    const { resourceVersion: _, ...metadata } = object.metadata;
    object.metadata = metadata;
  }
  return object;
}

function parsePatch(
  { type, body }: Pick<PatchRequest, 'type' | 'body'>,
  resource: Pick<ResourceDefinition, 'custom'> | undefined,
): unknown {
  const known =
    type === JSON_PATCH || type === MERGE_PATCH || (type === STRATEGIC_PATCH && resource?.custom === undefined);
  if (!known) {
    const accepted = [
      JSON_PATCH,
      MERGE_PATCH,
      ...(resource?.custom ? [] : [STRATEGIC_PATCH]),
      ...APPLY_PATCHES.slice(0, 1),
    ];
    throw failure(
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
    );
  }
  return parseBody(body, type);
}

function runPatch(
  current: ApiObject,
  type: string,
  patch: unknown,
  resource: Pick<ResourceDefinition, 'schema'> | undefined,
): unknown {
  try {
    if (type === JSON_PATCH) return applyJsonPatch(current, patch);
    if (!isJsonObject(patch)) throw badRequest('the patch must be an object');
    if (type === STRATEGIC_PATCH && resource) return applyStrategicMergePatch(resource.schema, current, patch);
    return applyMergePatch(current, patch);
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    throw failure('Invalid', `the server rejected our request due to an error in our request: ${error.message}`, {
      causes: [{ message: error.message }],
    });
  }
}

/** Server-side apply. */
function applyObject(request: PatchRequest, context: WriteContext): Promise<UpdateOutcome> {
  const { resource, kernel } = context;
  if (context.managerIsImplied) {
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      requiredValue('fieldManager', 'is required for apply patch'),
    ]);
  }
  const config = parseConfig(request, context);
  return updateObject(
    {
      createWhenMissing: context.subresource === '',
      tracksFields: true,
      transform: (live) => {
        const outcome = applyOrExplain(() =>
          applyServerSide({
            schema: resource.schema,
            live,
            config: structuredClone(config),
            manager: context.fieldManager,
            apiVersion: apiVersionOf(resource),
            subresource: context.subresource,
            force: request.force,
            reset: fieldsOutOfReach(resource, context.subresource),
            nowMs: kernel.clock.nowMs(),
          }),
        );
        if (outcome.kind === 'conflict') {
          const { message, causes } = conflictText(outcome.conflicts);
          throw failure('Conflict', message, { causes });
        }
        const { resourceVersion: _, ...metadata } = outcome.object.metadata;
        const pinned = config.metadata.resourceVersion;
        outcome.object.metadata = { ...metadata, ...(pinned ? { resourceVersion: pinned } : {}) };
        return outcome.object;
      },
    },
    context,
  );
}

function parseConfig({ body, type }: PatchRequest, context: WriteContext): ApiObject {
  const parsed = parseBody(body, type);
  if (!isJsonObject(parsed)) throw badRequest('the configuration to apply must be an object');
  for (const field of ['apiVersion', 'kind'] as const) {
    if (typeof parsed[field] !== 'string' || parsed[field] === '')
      throw badRequest(`${field} must be set in an apply patch`);
  }
  const config = withMetadata(parsed);
  if (config.metadata.managedFields?.length) throw badRequest('metadata.managedFields must be nil');
  settleIdentityOf(config, { ...context, operation: 'update' });
  const { unknown, typeError } = decode(context.resource.schema, config as JsonObject, {
    custom: context.resource.custom !== undefined,
    kind: context.resource.kind,
  });
  reportUnknownFields(unknown, typeError, context);
  return config;
}

function applyOrExplain<T>(apply: () => T): T {
  try {
    return apply();
  } catch (error) {
    if (error instanceof ListMergeError) throw badRequest(`failed to create typed patch object: ${error.message}`);
    throw error;
  }
}
