import type { ApiObject } from './api-object.ts';

/**
 * How an object lies in the store: the JSON that answers a GET, with `kind`, `apiVersion` and `metadata.resourceVersion` in front and the
 * version empty, because it is only known once the write is committed. Reading splices the revision in; nothing is parsed or written anew.
 *
 *     {"kind":"ConfigMap","apiVersion":"v1","metadata":{"resourceVersion":"","name":"a",...},...}
 */
export function composeStored(object: ApiObject): Buffer {
  const { kind, apiVersion, metadata, ...fields } = object;
  const { resourceVersion: _, ...others } = metadata;
  // Put together by hand: JSON.stringify writes fields that look like numbers first, wherever they stand.
  const head = JSON.stringify({ kind, apiVersion }).slice(0, -1);
  const rest = JSON.stringify(fields).slice(1, -1);
  const inMetadata = JSON.stringify(others).slice(1);
  return Buffer.from(
    `${head},"metadata":{"resourceVersion":""${inMetadata === '}' ? '' : ','}${inMetadata}${rest === '' ? '' : ','}${rest}}`,
  );
}

const VERSION_START = Buffer.from('"metadata":{"resourceVersion":"');
const API_VERSION_START = Buffer.from(',"apiVersion":"');

/** The bytes with `revision` as resourceVersion, in place of whatever stood there. */
export function withRevision(bytes: Buffer, revision: number): Buffer {
  const start = bytes.indexOf(VERSION_START) + VERSION_START.length;
  const end = bytes.indexOf(0x22, start);
  const digits = String(revision);
  const result = Buffer.allocUnsafe(bytes.length - (end - start) + digits.length);
  bytes.copy(result, 0, 0, start);
  result.write(digits, start, 'latin1');
  bytes.copy(result, start + digits.length, end);
  return result;
}

/** The bytes with another apiVersion: how a custom resource that is served in several versions without conversion reads in each. */
export function withApiVersion(bytes: Buffer, apiVersion: string): Buffer {
  const start = bytes.indexOf(API_VERSION_START) + API_VERSION_START.length;
  const end = bytes.indexOf(0x22, start);
  return Buffer.concat([bytes.subarray(0, start), Buffer.from(apiVersion), bytes.subarray(end)]);
}

export function parseObject(bytes: Uint8Array): ApiObject {
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')) as ApiObject;
}
