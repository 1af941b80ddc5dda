import { apiVersionOf } from '@ballast/kube';
import { type ApiObject, isJsonObject } from '../object/api-object.ts';
import { badRequest, invalid } from '../object/failures.ts';
import { invalidValue } from '../object/field-problems.ts';
import type { WriteContext } from './write-context.ts';

/** Checks kind, apiVersion and the place in the URL against the object, and fills in what is missing. 400 when they disagree. */
export function settleIdentityOf(object: ApiObject, context: WriteContext): void {
  const { resource, namespace, name } = context;
  const apiVersion = apiVersionOf(resource);
  if (object.apiVersion === '') object.apiVersion = apiVersion;
  if (object.kind === '') object.kind = resource.kind;
  if (object.apiVersion !== apiVersion) {
    throw badRequest(
      `the API version in the data (${object.apiVersion}) does not match the expected API version (${apiVersion})`,
    );
  }
  if (object.kind !== resource.kind) {
    throw badRequest(`the kind in the data (${object.kind}) does not match the expected kind (${resource.kind})`);
  }
  if (!isJsonObject(object.metadata)) throw badRequest('metadata must be an object');
  if (resource.namespaced) {
    if (!object.metadata.namespace) object.metadata.namespace = namespace;
    else if (object.metadata.namespace !== namespace) {
      throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
    }
  } else if (object.metadata.namespace) {
    throw badRequest('namespace may not be set on a cluster-scoped object');
  }
  if (name !== '') {
    if (!object.metadata.name && context.operation === 'update') object.metadata.name = name;
    if (object.metadata.name && object.metadata.name !== name) {
      throw badRequest(`the name of the object (${object.metadata.name}) does not match the name on the URL (${name})`);
    }
  }
  const { resourceVersion } = object.metadata;
  if (resourceVersion !== undefined && resourceVersion !== '' && !/^[0-9]+$/.test(resourceVersion)) {
    throw invalid(resource, object.metadata.name, [
      invalidValue('metadata.resourceVersion', resourceVersion, 'must be a decimal number'),
    ]);
  }
}

/** The order of fields in stored metadata: what people look for first. */
export function orderMetadata(object: ApiObject): void {
  const {
    name,
    generateName,
    namespace,
    uid,
    resourceVersion,
    generation,
    creationTimestamp,
    deletionTimestamp,
    deletionGracePeriodSeconds,
    labels,
    annotations,
    ownerReferences,
    finalizers,
    managedFields,
  } = object.metadata;
  object.metadata = {
    name,
    ...(generateName ? { generateName } : {}),
    ...(namespace ? { namespace } : {}),
    ...(uid ? { uid } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
    ...(generation ? { generation } : {}),
    ...(creationTimestamp ? { creationTimestamp } : {}),
    ...(deletionTimestamp ? { deletionTimestamp } : {}),
    ...(deletionGracePeriodSeconds === undefined ? {} : { deletionGracePeriodSeconds }),
    ...(isFilled(labels) ? { labels } : {}),
    ...(isFilled(annotations) ? { annotations } : {}),
    ...(ownerReferences?.length ? { ownerReferences } : {}),
    ...(finalizers?.length ? { finalizers } : {}),
    ...(managedFields?.length ? { managedFields } : {}),
  };
}

function isFilled(map: Record<string, string> | undefined): boolean {
  return map !== undefined && map !== null && Object.keys(map).length > 0;
}
