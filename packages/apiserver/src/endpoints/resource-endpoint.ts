import type { ObjectSchema } from '@ballast/kube';
import type { CachedObject } from '../cache/cached-object.ts';
import { bodyType, parseObjectBody, readBody } from '../http/body.ts';
import { type AnswerForm, encodeList, encodeObject } from '../http/encoding.ts';
import { type Exchange, flag, headerOf } from '../http/exchange.ts';
import { negotiate } from '../http/media-type.ts';
import type { RequestInfo } from '../http/request-info.ts';
import { send, sendJson, sendYaml } from '../http/respond.ts';
import { requireAccess } from '../identity/authorize.ts';
import { type Kernel, objectKey } from '../kernel.ts';
import type { ApiObject } from '../object/api-object.ts';
import { failure, invalid, methodNotAllowed, noSuchPath, notFound } from '../object/failures.ts';
import { unsupportedValue } from '../object/field-problems.ts';
import { createObject } from '../operations/create.ts';
import { deleteObject, isDryRun, parseDeleteOptions } from '../operations/delete.ts';
import { listObjects } from '../operations/list.ts';
import { patchObject } from '../operations/patch.ts';
import { parseSelection } from '../operations/selection.ts';
import { updateObject } from '../operations/update.ts';
import type { WriteContext } from '../operations/write-context.ts';
import type { ResourceDefinition, Verb } from '../resources/definition.ts';
import { REVIEWS } from '../reviews/index.ts';
import { findSubresource } from '../subresources/index.ts';
import { duplicateFields } from '../validation/index.ts';
import { serveWatch } from './watch.ts';

export type ResourcePath = Extract<RequestInfo, { kind: 'resource' }>;

/** One request to a resource, as far as its path tells. */
export interface ResourceCall {
  readonly kernel: Kernel;
  readonly exchange: Exchange;
  readonly resource: ResourceDefinition;
  readonly path: ResourcePath;
}

/** The verb that authorisation and discovery know, from method and path. */
export function verbOf(method: string, path: ResourcePath, query: URLSearchParams): string {
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (path.name !== '') return 'get';
      return flag(query, 'watch') ? 'watch' : 'list';
    case 'POST':
      return 'create';
    case 'PUT':
      return 'update';
    case 'PATCH':
      return 'patch';
    case 'DELETE':
      return path.name === '' ? 'deletecollection' : 'delete';
    default:
      return method.toLowerCase();
  }
}

type Handler = (call: ResourceCall) => Promise<void>;

const HANDLERS: Readonly<Record<Verb, Handler>> = {
  get: serveGet,
  list: serveList,
  watch: (call) =>
    serveWatch(call.kernel, call.exchange, call.resource, { namespace: call.path.namespace, form: formOf(call) }),
  create: serveCreate,
  update: serveUpdate,
  patch: servePatch,
  delete: serveDelete,
  deletecollection: serveDeleteCollection,
};

/** Throws 403 (or 401) unless the identity may do this. */
export function requireResourceAccess(
  exchange: Pick<Exchange, 'method' | 'query' | 'identity'>,
  path: ResourcePath,
): void {
  const verb = verbOf(exchange.method, path, exchange.query);
  const { group, plural, subresource, namespace, name } = path;
  requireAccess(exchange.identity, {
    kind: 'resource',
    // Since 1.35 a GET that upgrades to exec, attach or port-forward needs the right to create, as a POST does.
    verb: verb === 'get' && STREAMING.has(subresource) ? 'create' : verb,
    resource: { group, plural },
    subresource,
    namespace,
    name,
  });
}

/** Authorises and answers one request to a resource or one of its subresources. */
export async function serveResource(kernel: Kernel, exchange: Exchange, path: ResourcePath): Promise<void> {
  requireResourceAccess(exchange, path);
  const verb = verbOf(exchange.method, path, exchange.query);
  const { group, plural, subresource, namespace, name } = path;
  const resource = kernel.registry.find(group, path.version, plural);
  if (!resource) throw noSuchPath();
  const call: ResourceCall = { kernel, exchange, resource, path };
  if (subresource !== '') {
    const handler = findSubresource(resource, subresource);
    if (!handler) throw noSuchPath();
    return handler(call, verb);
  }
  if (resource.namespaced && namespace === '' && (name !== '' || verb === 'create' || verb === 'deletecollection')) {
    throw name !== '' ? noSuchPath() : methodNotAllowed();
  }
  if (!resource.namespaced && namespace !== '' && resource.plural !== 'namespaces') throw noSuchPath();
  const review = REVIEWS[resource.storageKey];
  const handler = resource.verbs.includes(verb) ? (review ?? HANDLERS[verb as Verb]) : undefined;
  const misplaced = name === '' ? verb === 'update' || verb === 'patch' : verb === 'create';
  if (!handler || misplaced) throw methodNotAllowed();
  await handler(call);
}

const STREAMING: ReadonlySet<string> = new Set(['exec', 'attach', 'portforward']);

/** How the client wants objects written; 406 when we cannot. */
export function formOf({ exchange, kernel }: Pick<ResourceCall, 'exchange' | 'kernel'>): AnswerForm {
  const representation = negotiate(headerOf(exchange.request, 'accept'));
  if (!representation) {
    throw failure(
      'NotAcceptable',
      'only the following media types are accepted: application/json, application/yaml, application/json;as=Table;v=v1;g=meta.k8s.io',
    );
  }
  const asked = exchange.query.get('includeObject');
  const includeObject = asked === 'None' || asked === 'Object' ? asked : 'Metadata';
  return { representation, includeObject, now: () => kernel.clock.nowMs() };
}

export function writeContext(call: ResourceCall, operation: WriteContext['operation'], dryRun: boolean): WriteContext {
  const { kernel, exchange, resource, path } = call;
  const { query, request } = exchange;
  const validation = query.get('fieldValidation') ?? 'Warn';
  if (validation !== 'Strict' && validation !== 'Warn' && validation !== 'Ignore') {
    throw invalid({ group: 'meta.k8s.io', kind: 'Options' }, '', [
      unsupportedValue('fieldValidation', validation, ['Ignore', 'Strict', 'Warn']),
    ]);
  }
  return {
    kernel,
    resource,
    identity: exchange.identity,
    operation,
    subresource: path.subresource,
    namespace: resource.namespaced ? path.namespace : '',
    name: path.name,
    dryRun,
    fieldManager: query.get('fieldManager') || managerOf(headerOf(request, 'user-agent')),
    managerIsImplied: !query.get('fieldManager'),
    fieldValidation: validation,
    bodyProblems: [],
    warnings: exchange.warnings,
  };
}

/** The field manager of a client that does not name one: the program in its User-Agent. */
function managerOf(userAgent: string | undefined): string {
  return (userAgent ?? '').split('/')[0]?.slice(0, 128) || 'unknown';
}

export async function sendObject(call: ResourceCall, code: number, object: CachedObject): Promise<void> {
  const form = formOf(call);
  const body = encodeObject(call.resource, object, form);
  if (form.representation.yaml) await sendYaml(call.exchange, code, body);
  else await send(call.exchange, { code, body });
}

async function serveGet(call: ResourceCall): Promise<void> {
  const { kernel, resource, path } = call;
  const object = kernel.cache.of(resource.storageKey).get(objectKey(resource, path.namespace, path.name));
  if (!object) throw notFound(resource, path.name);
  await sendObject(call, 200, object);
}

async function serveList(call: ResourceCall): Promise<void> {
  const { kernel, exchange, resource, path } = call;
  const form = formOf(call);
  const list = await listObjects(kernel, resource, path.namespace, exchange.query);
  const body = encodeList(resource, list, form);
  if (form.representation.yaml) await sendYaml(exchange, 200, body);
  else await send(exchange, { code: 200, body });
}

/**
 * The object in the body; `parse` makes a new one each time, because a write changes it. Only strict requests pay for the search for
 * fields that occur twice.
 */
async function readChecked({
  exchange,
  resource,
}: ResourceCall): Promise<{ parse: () => ApiObject; problems: string[] }> {
  const body = await readBody(exchange.request);
  const type = bodyType(exchange.request);
  const strict = exchange.query.get('fieldValidation') === 'Strict' && type === 'application/json';
  return {
    parse: () => parseObjectBody(body, type, resource.schema),
    problems: strict ? duplicateFields(body.toString('utf8')) : [],
  };
}

async function serveCreate(call: ResourceCall): Promise<void> {
  formOf(call);
  const { parse, problems } = await readChecked(call);
  const context = { ...writeContext(call, 'create', isDryRun(undefined, call.exchange.query)), bodyProblems: problems };
  await sendObject(call, 201, await createObject(parse(), context));
}

export async function serveUpdate(call: ResourceCall): Promise<void> {
  formOf(call);
  const { parse, problems } = await readChecked(call);
  const context = { ...writeContext(call, 'update', isDryRun(undefined, call.exchange.query)), bodyProblems: problems };
  const createWhenMissing = call.resource.createOnUpdate && call.path.subresource === '';
  const { object, created } = await updateObject({ transform: parse, replaces: true, createWhenMissing }, context);
  await sendObject(call, created ? 201 : 200, object);
}

export async function servePatch(call: ResourceCall): Promise<void> {
  formOf(call);
  const { exchange } = call;
  const type = bodyType(exchange.request);
  const body = await readBody(exchange.request);
  const context = writeContext(call, 'update', isDryRun(undefined, exchange.query));
  const { object, created } = await patchObject({ type, body, force: flag(exchange.query, 'force') }, context);
  await sendObject(call, created ? 201 : 200, object);
}

/** The part of meta/v1 DeleteOptions that protobuf bodies are read for. */
const DELETE_OPTIONS: ObjectSchema = {
  type: 'object',
  name: 'io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions',
  properties: {
    gracePeriodSeconds: { type: 'integer', bits: 64 },
    preconditions: {
      type: 'object',
      name: 'io.k8s.apimachinery.pkg.apis.meta.v1.Preconditions',
      properties: { uid: { type: 'string' }, resourceVersion: { type: 'string' } },
    },
    orphanDependents: { type: 'boolean' },
    propagationPolicy: { type: 'string' },
    dryRun: { type: 'list', items: { type: 'string' }, listType: 'atomic' },
  },
};

async function readOptions(exchange: Exchange): Promise<unknown> {
  const body = await readBody(exchange.request);
  return body.length === 0 ? undefined : parseObjectBody(body, bodyType(exchange.request), DELETE_OPTIONS);
}

async function serveDelete(call: ResourceCall): Promise<void> {
  formOf(call);
  const options = await readOptions(call.exchange);
  const context = writeContext(call, 'delete', isDryRun(options, call.exchange.query));
  const { gone, object } = await deleteObject(parseDeleteOptions(options, call.exchange.query), context);
  if (!gone || call.resource.returnsDeleted) return sendObject(call, 200, object);
  const { uid } = object.parse().metadata;
  const { group, plural, kind } = call.resource;
  await sendJson(call.exchange, 200, {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: call.path.name, ...(group === '' ? {} : { group }), kind: plural || kind, uid },
  });
}

async function serveDeleteCollection(call: ResourceCall): Promise<void> {
  const { kernel, exchange, resource, path } = call;
  const form = formOf(call);
  const options = await readOptions(exchange);
  const request = parseDeleteOptions(options, exchange.query);
  const dryRun = isDryRun(options, exchange.query);
  const selected = kernel.cache
    .of(resource.storageKey)
    .select(parseSelection(exchange.query, resource, path.namespace));
  const context = writeContext(call, 'delete', dryRun);
  await Promise.all(
    selected.map(async (object) => {
      try {
        await deleteObject(request, { ...context, namespace: object.namespace, name: object.name });
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    }),
  );
  await send(exchange, {
    code: 200,
    body: encodeList(resource, { objects: selected, revision: kernel.cache.revision }, form),
  });
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'NotFound';
}
