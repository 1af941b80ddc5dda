import { admitDelete } from '../admission/index.ts';
import type { CachedObject } from '../cache/cached-object.ts';
import { type Kernel, objectKey } from '../kernel.ts';
import { type ApiObject, formatTime, isJsonObject } from '../object/api-object.ts';
import { badRequest, conflict, invalid, notFound } from '../object/failures.ts';
import { unsupportedValue } from '../object/field-problems.ts';
import type { ResourceDefinition } from '../resources/definition.ts';
import { putObject, removeObject } from './store-write.ts';
import { viewOf } from './update.ts';
import type { WriteContext } from './write-context.ts';

export interface DeleteRequest {
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagationPolicy?: 'Orphan' | 'Background' | 'Foreground' | undefined;
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

/** `gone`: it was removed. Otherwise the object stays, marked, until its finalizers and its grace are over. */
export interface DeleteOutcome {
  readonly gone: boolean;
  readonly object: CachedObject;
}

const POLICIES = ['Orphan', 'Background', 'Foreground'] as const;

/** Reads DeleteOptions: the body counts, then the query. */
export function parseDeleteOptions(body: unknown, query: URLSearchParams): DeleteRequest {
  const options = isJsonObject(body) ? body : {};
  const preconditions = isJsonObject(options.preconditions) ? options.preconditions : {};
  const grace = options.gracePeriodSeconds ?? query.get('gracePeriodSeconds') ?? undefined;
  const orphan = options.orphanDependents ?? query.get('orphanDependents') ?? undefined;
  const text = options.propagationPolicy ?? query.get('propagationPolicy') ?? undefined;
  const policy = POLICIES.find((name) => name === text);
  if (text !== undefined && text !== null && text !== '' && policy === undefined) {
    throw invalid({ group: '', kind: 'DeleteOptions' }, '', [unsupportedValue('propagationPolicy', text, POLICIES)]);
  }
  const gracePeriodSeconds = grace === undefined || grace === null ? undefined : Number(grace);
  if (gracePeriodSeconds !== undefined && !Number.isInteger(gracePeriodSeconds)) {
    throw badRequest(`gracePeriodSeconds must be an integer, not ${JSON.stringify(grace)}`);
  }
  const orphanPolicy =
    orphan === undefined || orphan === null ? undefined : String(orphan) === 'true' ? 'Orphan' : 'Background';
  return {
    gracePeriodSeconds,
    propagationPolicy: policy ?? orphanPolicy,
    uid: typeof preconditions.uid === 'string' ? preconditions.uid : undefined,
    resourceVersion: typeof preconditions.resourceVersion === 'string' ? preconditions.resourceVersion : undefined,
  };
}

/** True for options that ask for a dry run. */
export function isDryRun(body: unknown, query: URLSearchParams): boolean {
  const values = isJsonObject(body) && Array.isArray(body.dryRun) ? body.dryRun : query.getAll('dryRun');
  const [value] = values.filter((text) => text !== '');
  if (value === undefined) return false;
  if (value !== 'All') {
    throw invalid({ group: '', kind: 'Options' }, '', [unsupportedValue('dryRun', value, ['All'])]);
  }
  return true;
}

export async function deleteObject(request: DeleteRequest, context: WriteContext): Promise<DeleteOutcome> {
  const { kernel, resource, namespace, name } = context;
  const cache = kernel.cache.of(resource.storageKey);
  for (;;) {
    const current = cache.get(objectKey(resource, namespace, name));
    if (!current) throw notFound(resource, name);
    const object = viewOf(current, context);
    requirePreconditions(request, object, current, context);
    admitDelete(object, context);
    const outcome = await tryDelete(request, context, current, object);
    if (outcome) return outcome;
  }
}

async function tryDelete(
  request: DeleteRequest,
  context: WriteContext,
  current: CachedObject,
  object: ApiObject,
): Promise<DeleteOutcome | undefined> {
  const { kernel, resource } = context;
  const meta = object.metadata;
  const before = JSON.stringify(object);
  meta.finalizers = finalizersFor(request, resource, meta.finalizers ?? []);
  const { deletionFinalizer } = resource;
  if (deletionFinalizer !== undefined && !meta.deletionTimestamp && !meta.finalizers.includes(deletionFinalizer)) {
    meta.finalizers.push(deletionFinalizer);
  }
  const waits = beginDeletion(request, object, resource, kernel);
  if (!waits && meta.finalizers.length === 0) {
    const removal = await removeObject(context, current);
    return removal.kind === 'written' ? { gone: true, object: removal.object } : undefined;
  }
  if (JSON.stringify(object) === before) return { gone: false, object: current };
  const write = await putObject(context, {
    object,
    name: context.name,
    expectedRevision: current.revision,
    old: viewOf(current, context),
  });
  return write.kind === 'written' ? { gone: false, object: write.object } : undefined;
}

/** Marks the object as being deleted. True when something other than metadata.finalizers keeps it for now. */
function beginDeletion(
  request: DeleteRequest,
  object: ApiObject,
  resource: ResourceDefinition,
  kernel: Kernel,
): boolean {
  const meta = object.metadata;
  const nowMs = kernel.clock.nowMs();
  if (resource.storageKey === 'namespaces') {
    const spec = object.spec as { finalizers?: string[] } | undefined;
    meta.deletionTimestamp ??= formatTime(nowMs);
    object.status = { ...(object.status as object | undefined), phase: 'Terminating' };
    return (spec?.finalizers?.length ?? 0) > 0;
  }
  if (resource.storageKey === 'pods') return beginPodDeletion(request, object, nowMs);
  if (!meta.deletionTimestamp) {
    meta.deletionTimestamp = formatTime(nowMs);
    meta.deletionGracePeriodSeconds = 0;
    if (resource.hasGeneration) meta.generation = (meta.generation ?? 0) + 1;
  }
  return false;
}

/**
 * A pod that runs on a node stays until the node has stopped it and deletes it with grace 0. A second request may shorten the grace,
 * never lengthen it.
 */
function beginPodDeletion(request: DeleteRequest, pod: ApiObject, nowMs: number): boolean {
  const spec = pod.spec as { nodeName?: string; terminationGracePeriodSeconds?: number } | undefined;
  const phase = (pod.status as { phase?: string } | undefined)?.phase;
  let grace = request.gracePeriodSeconds ?? spec?.terminationGracePeriodSeconds ?? 30;
  if (!spec?.nodeName || phase === 'Succeeded' || phase === 'Failed') grace = 0;
  if (grace < 0) grace = 1;
  const meta = pod.metadata;
  if (meta.deletionTimestamp) {
    const present = meta.deletionGracePeriodSeconds ?? 0;
    if (grace >= present && !(grace === 0 && present === 0)) return true;
    const startedMs = Date.parse(meta.deletionTimestamp) - present * 1000;
    meta.deletionTimestamp = formatTime(startedMs + grace * 1000);
  } else {
    meta.deletionTimestamp = formatTime(nowMs + grace * 1000);
    meta.generation = (meta.generation ?? 0) + 1;
  }
  meta.deletionGracePeriodSeconds = grace;
  return grace > 0;
}

function finalizersFor(request: DeleteRequest, resource: ResourceDefinition, present: readonly string[]): string[] {
  const own = ['orphan', 'foregroundDeletion'];
  const others = present.filter((name) => !own.includes(name));
  const policy = request.propagationPolicy;
  // Without a policy, a finalizer that an earlier request (or the owner's maker) set decides; then the kind's default.
  if (policy === undefined) {
    if (present.length > others.length) return [...present];
    return resource.defaultPropagation === 'Orphan' ? [...others, 'orphan'] : others;
  }
  if (policy === 'Orphan') return [...others, 'orphan'];
  return policy === 'Foreground' ? [...others, 'foregroundDeletion'] : others;
}

function requirePreconditions(
  request: DeleteRequest,
  object: ApiObject,
  current: CachedObject,
  context: WriteContext,
): void {
  const { resource, name } = context;
  const uid = object.metadata.uid ?? '';
  if (request.uid !== undefined && request.uid !== uid) {
    const why = `Precondition failed: UID in precondition: ${request.uid}, UID in object meta: ${uid}`;
    throw conflict(resource, name, why);
  }
  if (request.resourceVersion !== undefined && request.resourceVersion !== String(current.revision)) {
    const why = `Precondition failed: ResourceVersion in precondition: ${request.resourceVersion}, ResourceVersion in object meta: ${current.revision}`;
    throw conflict(resource, name, why);
  }
}
