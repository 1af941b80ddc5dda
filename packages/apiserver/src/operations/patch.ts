import { parseBody, withMetadata } from '../http/body.ts';
import { type ApiObject, isJsonObject, type JsonObject } from '../object/api-object.ts';
import { badRequest, failure, notFound } from '../object/failures.ts';
import { type UpdateOutcome, updateObject } from './update.ts';
import type { WriteContext } from './write-context.ts';

export interface PatchRequest {
  /** The media type, which says what kind of patch it is. */
  readonly type: string;
  readonly body: Buffer;
  /** Server-side apply: take over fields that others own. */
  readonly force: boolean;
}

/** Changes an object by a patch. */
export function patchObject(request: PatchRequest, context: WriteContext): Promise<UpdateOutcome> {
  return updateObject(
    {
      createWhenMissing: false,
      transform: (current) => {
        if (!current) throw notFound(context.resource, context.name);
        return applyPatchBody(current, request, context);
      },
    },
    context,
  );
}

export function applyPatchBody(
  current: ApiObject,
  request: Pick<PatchRequest, 'type' | 'body'>,
  _context: WriteContext | undefined,
): ApiObject {
  const patch = parseBody(request.body, request.type);
  if (!isJsonObject(patch)) throw badRequest('the patch must be an object');
  const result = mergePatch(current, patch);
  if (!isJsonObject(result)) throw failure('Invalid', 'the patch does not leave an object');
  return withMetadata(result);
}

function mergePatch(target: unknown, patch: unknown): unknown {
  if (!isJsonObject(patch)) return patch;
  const result: JsonObject = isJsonObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergePatch(result[name], value);
  }
  return result;
}
