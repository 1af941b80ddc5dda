import { messageOf } from '@ballast/base';
import type { Schema } from '@ballast/kube';
import { parse as parseYaml } from 'yaml';
import { type ApiObject, isJsonObject } from '../object/api-object.ts';
import { badRequest, failure } from '../object/failures.ts';
import { decodeMessage } from '../protobuf/decode.ts';
import { PROTOBUF_TYPE, parseEnvelope } from '../protobuf/envelope.ts';
import { headerOf, type IncomingRequest } from './exchange.ts';
import { parseMediaType } from './media-type.ts';

/** Largest body of a request, as upstream. */
export const MAX_BODY_BYTES = 3 * 1024 * 1024;

/** The whole body; 413 when it is too large. */
export function readBody(request: IncomingRequest): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= MAX_BODY_BYTES) chunks.push(chunk);
      else chunks.length = 0;
    });
    request.on('end', () => {
      if (length <= MAX_BODY_BYTES) resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks));
      else reject(failure('RequestEntityTooLarge', `Request entity too large: limit is ${MAX_BODY_BYTES}`));
    });
    request.on('error', reject);
    request.on('aborted', () => reject(badRequest('the request was aborted')));
  });
}

/** The media type of the body; a missing header means JSON. */
export function bodyType(request: IncomingRequest): string {
  return parseMediaType(headerOf(request, 'content-type') ?? 'application/json').type || 'application/json';
}

/** Parses JSON or YAML; 400 with the position when it is neither, 415 when it is something else. */
export function parseBody(body: Buffer, type: string): unknown {
  const text = body.toString('utf8');
  const value = parseText(text, type);
  // Escaped, the name would not show in the text.
  if (text.includes('__proto__') || text.includes('\\')) refusePrototypes(value);
  return value;
}

/** A field of this name would change what merging an object makes of it, past every check. No kind has one. */
function refusePrototypes(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (Object.hasOwn(value, '__proto__'))
    throw badRequest('the body has a field named "__proto__", which no object may have');
  for (const part of Object.values(value)) refusePrototypes(part);
}

function parseText(text: string, type: string): unknown {
  if (type === 'application/json' || type.endsWith('+json')) {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw badRequest(`the body is not valid JSON: ${messageOf(error)}`);
    }
  }
  if (type === 'application/yaml' || type.endsWith('+yaml')) {
    // Apply patches are sent as YAML but usually are JSON, which is parsed a hundred times faster.
    if (/^\s*\{/.test(text)) {
      try {
        return JSON.parse(text);
      } catch {
        // A flow mapping of YAML may look like this too.
      }
    }
    try {
      return parseYaml(text, { maxAliasCount: 100 });
    } catch (error) {
      throw badRequest(`the body is not valid YAML: ${messageOf(error)}`);
    }
  }
  throw failure(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: application/json, application/yaml`,
  );
}

/** A body that must be an object: JSON, YAML, or protobuf when the schema is known. Its parts are not checked here. */
export async function readObject(request: IncomingRequest, schema: Schema | undefined): Promise<ApiObject> {
  return parseObjectBody(await readBody(request), bodyType(request), schema);
}

export function parseObjectBody(body: Buffer, type: string, schema: Schema | undefined): ApiObject {
  if (type === PROTOBUF_TYPE && schema?.type === 'object') {
    const { apiVersion, kind, raw } = parseEnvelope(body);
    return withMetadata({ ...decodeMessage(schema, raw), apiVersion, kind });
  }
  const value = parseBody(body, type);
  if (!isJsonObject(value)) throw badRequest('the body of the request must be an object');
  return withMetadata(value);
}

export function withMetadata(value: Record<string, unknown>): ApiObject {
  const text = (name: string) => (typeof value[name] === 'string' ? value[name] : '');
  const metadata = isJsonObject(value.metadata) ? value.metadata : {};
  return {
    ...value,
    apiVersion: text('apiVersion'),
    kind: text('kind'),
    metadata: metadata as unknown as ApiObject['metadata'],
  };
}
