import { apiVersionOf } from '@ballast/kube';
import { FieldSet, trackUpdate } from '../apply/index.ts';
import type { ApiObject } from '../object/api-object.ts';
import { badRequest, type FieldProblem } from '../object/failures.ts';
import type { ResourceDefinition } from '../resources/definition.ts';
import {
  applyDefaults,
  cannotBeHandled,
  decode,
  strictDecodingMessage,
  validateCreate,
  validateUpdate,
} from '../validation/index.ts';
import type { WriteContext } from './write-context.ts';

/** Brings the object into the form of its kind's schema, in place: unknown fields go (or refuse the request), defaults come. */
export function decodeObject(object: ApiObject, context: WriteContext): ApiObject {
  const { resource, bodyProblems } = context;
  const { unknown, typeError } = decode(resource.schema, object, {
    custom: resource.custom !== undefined,
    kind: resource.kind,
  });
  reportUnknownFields([...bodyProblems, ...unknown], typeError, context);
  applyDefaults(resource, object);
  return object;
}

/** A wrong type is a 400; fields that the kind does not have are one when the request is strict, a warning by default. */
export function reportUnknownFields(
  problems: readonly string[],
  typeError: string | undefined,
  context: WriteContext,
): void {
  const { resource, fieldValidation, warnings } = context;
  const { kind, version } = resource;
  if (typeError !== undefined) throw badRequest(cannotBeHandled(kind, version, typeError));
  if (problems.length > 0 && fieldValidation === 'Strict') {
    const why = strictDecodingMessage(problems);
    throw badRequest(resource.custom ? why : cannotBeHandled(kind, version, why));
  }
  if (fieldValidation === 'Warn') warnings.push(...problems);
}

/** The rules of the kind and its schema. */
export function validateAgainstSchema(
  object: ApiObject,
  old: ApiObject | undefined,
  { resource, subresource, warnings }: WriteContext,
): FieldProblem[] {
  const validation = old ? validateUpdate(resource, object, old, subresource) : validateCreate(resource, object);
  warnings.push(...validation.warnings);
  return validation.errors;
}

/** Records in managedFields what this write changed and by whom. */
export function trackFields(object: ApiObject, old: ApiObject | undefined, context: WriteContext): void {
  const { resource, fieldManager, subresource, kernel } = context;
  const managedFields = trackUpdate({
    schema: resource.schema,
    live: old,
    object,
    manager: fieldManager,
    apiVersion: apiVersionOf(resource),
    subresource,
    reset: fieldsOutOfReach(resource, subresource),
    nowMs: kernel.clock.nowMs(),
  });
  if (managedFields) object.metadata.managedFields = managedFields;
  else delete object.metadata.managedFields;
}

const STATUS_ONLY = FieldSet.ofPaths([['f:status']]);
const outsideStatus = new WeakMap<ResourceDefinition, FieldSet>();

/** What a write through this subresource cannot set, and so nobody comes to own by it. */
export function fieldsOutOfReach(resource: ResourceDefinition, subresource: string): FieldSet {
  if (!resource.hasStatus) return FieldSet.empty;
  if (subresource !== 'status') return STATUS_ONLY;
  let fields = outsideStatus.get(resource);
  if (!fields) {
    const names = Object.keys(resource.schema.properties).filter((name) => name !== 'status');
    fields = FieldSet.ofPaths(names.map((name) => [`f:${name}`]));
    outsideStatus.set(resource, fields);
  }
  return fields;
}
