import { type ResourceType, resourcePath } from '@ballast/kube';

/** Media type of the protobuf form (gnostic's OpenAPIv2.proto), the only one that kubectl and client-go ask for. */
export const OPENAPI_V2_PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/**
 * OpenAPI 2.0, as little as its one remaining reader needs: kubectl looks into it when a kind is not in the OpenAPI v3 documents, to see by
 * the PATCH operations whether the server validates fields, before it says that there is no such kind. Models are in v3 only.
 */
export function openApiV2Protobuf(resources: readonly ResourceType[], serverVersion: string): Uint8Array {
  const info = message([1, 'Kubernetes'], [2, serverVersion]);
  const items = resources
    .filter(({ verbs }) => verbs.includes('patch'))
    .map((resource) => message([1, patchPath(resource)], [2, message([8, patchOperation(resource)])]));
  const paths = message(...items.map((item): Field => [2, item]));
  return message([1, '2.0'], [2, info], [8, paths]);
}

/** The same in JSON, for people and other programs. */
export function openApiV2Json(resources: readonly ResourceType[], serverVersion: string): object {
  const paths = resources
    .filter(({ verbs }) => verbs.includes('patch'))
    .map((resource): [string, object] => {
      const { group, version, kind } = resource;
      const parameters = [{ name: 'fieldValidation', in: 'query', type: 'string' }];
      const responses = { 200: { description: 'OK' } };
      const extension = { 'x-kubernetes-group-version-kind': { group, version, kind } };
      return [patchPath(resource), { patch: { parameters, responses, ...extension } }];
    });
  return { swagger: '2.0', info: { title: 'Kubernetes', version: serverVersion }, paths: Object.fromEntries(paths) };
}

function patchPath(resource: ResourceType): string {
  const place = resource.namespaced ? { namespace: '{namespace}' } : {};
  return decodeURIComponent(resourcePath(resource, { ...place, name: '{name}' }));
}

/** Operation with one query parameter and the kind as a vendor extension, which gnostic carries as YAML. */
function patchOperation({ group, version, kind }: ResourceType): Uint8Array {
  const queryParameter = message([2, 'query'], [4, 'fieldValidation'], [6, 'string']);
  const parameter = message([1, message([2, message([3, queryParameter])])]);
  const ok = message([1, message([1, '200'], [2, message([1, message([1, 'OK'])])])]);
  const kindOfPath = message([2, JSON.stringify({ group, version, kind })]);
  return message([8, parameter], [9, ok], [13, message([1, 'x-kubernetes-group-version-kind'], [2, kindOfPath])]);
}

type Field = readonly [number: number, value: string | Uint8Array];

/** A protobuf message of length-delimited fields (wire type 2). */
function message(...fields: readonly Field[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [number, value] of fields) {
    const content = typeof value === 'string' ? Buffer.from(value) : value;
    parts.push(varint((number << 3) | 2), varint(content.length), content);
  }
  return Buffer.concat(parts);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Uint8Array.of(...bytes, rest);
    bytes.push((rest & 0x7f) | 0x80);
  }
}
