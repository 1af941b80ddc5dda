import { formatLabelSelector, type LabelSelector, type ObjectSchema } from '@ballast/kube';
import type { CachedObject } from '../cache/cached-object.ts';
import { type ResourceCall, writeContext } from '../endpoints/resource-endpoint.ts';
import { bodyType, readBody, readObject } from '../http/body.ts';
import { sendJson } from '../http/respond.ts';
import { objectKey } from '../kernel.ts';
import { type ApiObject, fieldAt, type JsonObject, numberAt, setField } from '../object/api-object.ts';
import { invalid, methodNotAllowed, notFound } from '../object/failures.ts';
import { invalidValue } from '../object/field-problems.ts';
import { isDryRun } from '../operations/delete.ts';
import { applyPatchBody } from '../operations/patch.ts';
import { updateObject, viewOf } from '../operations/update.ts';
import type { ScaleDefinition } from '../resources/definition.ts';
import type { SubresourceHandler } from './index.ts';

/** No list of a Scale is merged by key, so patches need no more of its schema than this. */
const SCALE_SCHEMA: ObjectSchema = { type: 'object', properties: {}, preserveUnknown: true };

/** autoscaling/v1 Scale: the one number that autoscalers and `kubectl scale` change, the same for every kind that has replicas. */
export const serveScale: SubresourceHandler = async (call, verb) => {
  const { kernel, resource, path, exchange } = call;
  const { scale } = resource;
  if (!scale) throw methodNotAllowed();
  if (verb === 'get') {
    const object = kernel.cache.of(resource.storageKey).get(objectKey(resource, path.namespace, path.name));
    if (!object) throw notFound(resource, path.name);
    return sendScale(call, object, scale);
  }
  if (verb !== 'update' && verb !== 'patch') throw methodNotAllowed();
  const type = bodyType(exchange.request);
  const change =
    verb === 'update' ? await readObject(exchange.request, scaleSchemaOf(call)) : await readBody(exchange.request);
  const context = writeContext(call, 'update', isDryRun(undefined, exchange.query));
  const { object } = await updateObject(
    {
      createWhenMissing: false,
      transform: (current) => {
        if (!current) throw notFound(resource, path.name);
        const wanted =
          change instanceof Buffer
            ? applyPatchBody(
                scaleOf(current, scale),
                { type, body: change },
                { schema: SCALE_SCHEMA, custom: undefined },
              )
            : change;
        const replicas = numberAt(wanted, 'spec', 'replicas') ?? 0;
        if (!Number.isInteger(replicas) || replicas < 0) {
          throw invalid({ group: 'autoscaling', kind: 'Scale' }, path.name, [
            invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'),
          ]);
        }
        const version = (wanted as ApiObject).metadata.resourceVersion;
        if (version) current.metadata.resourceVersion = version;
        else delete current.metadata.resourceVersion;
        setField(current, scale.specReplicas, replicas);
        return current;
      },
    },
    { ...context, subresource: 'scale' },
  );
  await sendScale(call, object, scale);
};

function sendScale(call: ResourceCall, object: CachedObject, scale: ScaleDefinition): Promise<void> {
  return sendJson(call.exchange, 200, scaleOf(viewOf(object, call), scale));
}

function scaleOf(object: ApiObject, scale: ScaleDefinition): ApiObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = fieldAt(object, ...scale.selector);
  const text = typeof selector === 'string' ? selector : selector ? formatLabelSelector(selector as LabelSelector) : '';
  const status: JsonObject = {
    replicas: numberAt(object, ...scale.statusReplicas) ?? 0,
    ...(text ? { selector: text } : {}),
  };
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp } as ApiObject['metadata'],
    spec: { replicas: numberAt(object, ...scale.specReplicas) ?? 0 },
    status,
  };
}

function scaleSchemaOf({ resource }: ResourceCall) {
  return resource.subresources.find(({ name }) => name === 'scale')?.schema;
}
