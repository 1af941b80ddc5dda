import { randomUUID } from 'node:crypto';
import { admit } from '../admission/index.ts';
import type { CachedObject } from '../cache/cached-object.ts';
import { type ApiObject, formatTime } from '../object/api-object.ts';
import { alreadyExists, badRequest, failure, invalid } from '../object/failures.ts';
import { decodeObject, trackFields, validateAgainstSchema } from './decoding.ts';
import { generateName, validateMetadata, validateName } from './names.ts';
import { settleIdentityOf } from './object-form.ts';
import { putObject } from './store-write.ts';
import type { WriteContext } from './write-context.ts';

/** Attempts to find a free generated name, as upstream. */
const NAME_ATTEMPTS = 8;

/** The walk of a new object: decode and default, prepare, admit, validate, one store transaction. Each step is one line here. */
export async function createObject(body: ApiObject, context: WriteContext): Promise<CachedObject> {
  const { resource } = context;
  settleIdentityOf(body, context);
  if (body.metadata.resourceVersion)
    throw failure('InternalError', 'resourceVersion should not be set on objects to be created');
  const object = decodeObject(body, context);
  setSystemFields(object, context);
  const generated = !object.metadata.name && Boolean(object.metadata.generateName);
  if (generated) object.metadata.name = generateName(object.metadata.generateName ?? '');
  resource.hooks.prepareForCreate?.(object, context);
  await admit(object, undefined, context);
  const problems = [
    ...validateName(resource, object.metadata.name),
    ...validateMetadata(object),
    ...validateAgainstSchema(object, undefined, context),
    ...(resource.hooks.validate?.(object, undefined, context) ?? []),
  ];
  if (problems.length > 0) throw invalid(resource, object.metadata.name ?? '', problems);
  if (!context.fieldsTracked) trackFields(object, undefined, context);
  for (let attempt = 1; ; attempt++) {
    const write = await putObject(context, { object, name: object.metadata.name, expectedRevision: 0, old: undefined });
    if (write.kind === 'written') return write.object;
    if (!generated) throw alreadyExists(resource, object.metadata.name);
    if (attempt === NAME_ATTEMPTS) {
      throw failure(
        'AlreadyExists',
        `cannot find a free name for generateName ${JSON.stringify(object.metadata.generateName)}`,
      );
    }
    object.metadata.name = generateName(object.metadata.generateName ?? '');
  }
}

function setSystemFields(object: ApiObject, { kernel, resource }: WriteContext): void {
  if (!object.metadata.name && !object.metadata.generateName && resource.kind === '')
    throw badRequest('name is required');
  object.metadata.uid = randomUUID();
  object.metadata.creationTimestamp = formatTime(kernel.clock.nowMs());
  delete object.metadata.deletionTimestamp;
  delete object.metadata.deletionGracePeriodSeconds;
  delete object.metadata.generation;
  if (resource.hasGeneration) object.metadata.generation = 1;
  if (resource.hasStatus && resource.group !== '') delete object.status;
}
