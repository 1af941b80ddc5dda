import { admit } from '../admission/index.ts';
import type { CachedObject } from '../cache/cached-object.ts';
import { objectKey } from '../kernel.ts';
import { type ApiObject, jsonEquals } from '../object/api-object.ts';
import { conflict, invalid, modifiedMeanwhile, notFound } from '../object/failures.ts';
import { invalidValue } from '../object/field-problems.ts';
import { createObject } from './create.ts';
import { decodeObject, trackFields, validateAgainstSchema } from './decoding.ts';
import { validateFinalizersWhileDeleting, validateMetadata } from './names.ts';
import { orderMetadata, settleIdentityOf } from './object-form.ts';
import { putObject, removeObject } from './store-write.ts';
import type { WriteContext } from './write-context.ts';

export interface UpdateOutcome {
  readonly object: CachedObject;
  readonly created: boolean;
}

export interface UpdateRequest {
  /** The object as it shall be, made from a copy of the present one (undefined: there is none). It may be asked again after a conflict. */
  readonly transform: (current: ApiObject | undefined) => ApiObject | Promise<ApiObject>;
  /** What to do when there is no such object: create it, or answer 404. */
  readonly createWhenMissing: boolean;
  /** Server-side apply does its own field tracking. */
  readonly tracksFields?: boolean;
  /** `transform` makes the object anew (PUT) and neither reads nor changes what it is given. */
  readonly replaces?: boolean;
}

/** A patch without a resourceVersion is tried again when someone else writes in between; so often, then 409. */
const CONFLICT_ATTEMPTS = 30;

/** The walk of a changed object: transform, decode and default, prepare, admit, validate, one store transaction. */
export async function updateObject(request: UpdateRequest, context: WriteContext): Promise<UpdateOutcome> {
  const { kernel, resource, namespace, name } = context;
  const cache = kernel.cache.of(resource.storageKey);
  for (let attempt = 0; attempt < CONFLICT_ATTEMPTS; attempt++) {
    const current = cache.get(objectKey(resource, namespace, name));
    if (!current) {
      if (!request.createWhenMissing) throw notFound(resource, name);
      const body = await request.transform(undefined);
      if (body.metadata.uid) {
        const why = `Precondition failed: UID in precondition: ${body.metadata.uid}, UID in object meta: `;
        throw conflict(resource, name, why);
      }
      delete body.metadata.resourceVersion;
      return {
        object: await createObject(body, {
          ...context,
          operation: 'create',
          fieldsTracked: request.tracksFields ?? false,
        }),
        created: true,
      };
    }
    const outcome = await tryUpdate(request, context, current);
    if (outcome) return { object: outcome, created: false };
  }
  throw modifiedMeanwhile(resource, name);
}

/** Undefined: someone else wrote in between, and the client did not say which version it meant. */
async function tryUpdate(
  request: UpdateRequest,
  context: WriteContext,
  current: CachedObject,
): Promise<CachedObject | undefined> {
  const { resource, name } = context;
  const old = viewOf(current, context);
  const desired = await request.transform(request.replaces ? old : viewOf(current, context));
  settleIdentityOf(desired, context);
  const pinned = requireSameVersion(desired, old, current, context);
  const decoded = decodeObject(desired, context);
  const object =
    context.subresource === 'status' && resource.hasStatus
      ? onlyStatus(decoded, old)
      : withoutStatus(decoded, old, context);
  keepSystemFields(object, old, context);
  resource.hooks.prepareForUpdate?.(object, old, context);
  await admit(object, old, context);
  bumpGeneration(object, old, context);
  const problems = [
    ...validateMetadata(object),
    ...validateFinalizersWhileDeleting(object, old),
    ...validateAgainstSchema(object, old, context),
    ...(resource.hooks.validate?.(object, old, context) ?? []),
  ];
  if (problems.length > 0) throw invalid(resource, name, problems);
  if (request.tracksFields !== true) trackFields(object, old, context);
  if (isReleased(object, context)) {
    const removal = await removeObject(context, current);
    if (removal.kind === 'written') return removal.object;
    return lostRace(pinned, context);
  }
  if (isUnchanged(object, old)) return current;
  const write = await putObject(context, { object, name, expectedRevision: current.revision, old });
  if (write.kind === 'written') return write.object;
  return lostRace(pinned, context);
}

function lostRace(pinned: boolean, { resource, name }: WriteContext): undefined {
  if (pinned) throw modifiedMeanwhile(resource, name);
  return undefined;
}

/** The object in the version of this resource; a copy the caller may change. */
export function viewOf(current: CachedObject, { resource }: Pick<WriteContext, 'resource'>): ApiObject {
  const stored = current.parse();
  if (resource.view) return resource.view.toView(stored);
  stored.apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
  return stored;
}

/** True when the client named the version it changes (and it is the present one). */
function requireSameVersion(
  desired: ApiObject,
  old: ApiObject,
  current: CachedObject,
  { resource, name }: WriteContext,
): boolean {
  const { resourceVersion, uid } = desired.metadata;
  const present = old.metadata.uid ?? '';
  if (uid && uid !== present) {
    throw conflict(resource, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${present}`);
  }
  if (!resourceVersion || resourceVersion === '0') {
    if (resource.unconditionalUpdate) return false;
    throw invalid(resource, name, [invalidValue('metadata.resourceVersion', 0, 'must be specified for an update')]);
  }
  if (resourceVersion !== String(current.revision)) throw modifiedMeanwhile(resource, name);
  return true;
}

/** A write of the status takes nothing else from the client. */
function onlyStatus(object: ApiObject, old: ApiObject): ApiObject {
  const { managedFields } = object.metadata;
  const kept: ApiObject = { ...old, metadata: { ...old.metadata, ...(managedFields ? { managedFields } : {}) } };
  if (object.status === undefined) delete kept.status;
  else kept.status = object.status;
  return kept;
}

/** A write of the object leaves the status as it is. */
function withoutStatus(object: ApiObject, old: ApiObject, { resource, subresource }: WriteContext): ApiObject {
  if (!resource.hasStatus || subresource !== '') return object;
  if (old.status === undefined) delete object.status;
  else object.status = old.status;
  return object;
}

function keepSystemFields(object: ApiObject, old: ApiObject, _context: WriteContext): void {
  const meta = object.metadata;
  const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation, generateName } =
    old.metadata;
  meta.name = old.metadata.name;
  Object.assign(meta, {
    uid,
    creationTimestamp,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    generation,
    generateName,
  });
}

function bumpGeneration(object: ApiObject, old: ApiObject, { resource, subresource }: WriteContext): void {
  if (!resource.hasGeneration || subresource === 'status') return;
  const { metadata: _m, status: _s, ...desired } = object;
  const { metadata: _om, status: _os, ...before } = old;
  if (!jsonEquals(desired, before)) object.metadata.generation = (old.metadata.generation ?? 0) + 1;
}

/** An object that is being deleted goes when its last finalizer does. Pods also wait for their node, namespaces for spec.finalizers. */
function isReleased(object: ApiObject, { resource }: WriteContext): boolean {
  const { deletionTimestamp, finalizers, deletionGracePeriodSeconds } = object.metadata;
  if (!deletionTimestamp || (finalizers?.length ?? 0) > 0) return false;
  if (resource.storageKey === 'namespaces')
    return !(object as { spec?: { finalizers?: string[] } }).spec?.finalizers?.length;
  return (deletionGracePeriodSeconds ?? 0) === 0;
}

/** True when nothing but the times in managedFields would change: then nothing is written. */
function isUnchanged(object: ApiObject, old: ApiObject): boolean {
  orderMetadata(object);
  return jsonEquals(withoutVersionAndTimes(object), withoutVersionAndTimes(old));
}

function withoutVersionAndTimes(object: ApiObject): object {
  const { managedFields, resourceVersion: _, ...metadata } = object.metadata;
  const owners = managedFields?.map(({ time: _time, ...entry }) => entry);
  return { ...object, metadata: owners ? { ...metadata, managedFields: owners } : metadata };
}
