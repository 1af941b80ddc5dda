import {
  type CustomResourceDefinition,
  type JSONSchemaProps,
  type ObjectSchema,
  objectMeta,
  type Schema,
} from '@ballast/kube';
import { valueRules } from './value-rules.ts';

/**
 * Compiles the structural schema of one version of a custom resource to the schema language of the built-in kinds, so that custom
 * resources take the same walks. A version without a schema keeps every field. The definition must have passed `crdProblems`.
 */
export function compileCrd(crd: CustomResourceDefinition, version: string): ObjectSchema {
  const { group, names, versions } = crd.spec;
  const props = versions.find(({ name }) => name === version)?.schema?.openAPIV3Schema;
  const compiled = props ? compile({ ...props, type: 'object' }) : undefined;
  const own = compiled?.type === 'object' ? compiled : undefined;
  const { properties = {}, name: _, ...rest } = own ?? { type: 'object' as const, preserveUnknown: true };
  return {
    ...rest,
    name: `${group.split('.').reverse().join('.')}.${version}.${names.kind}`,
    properties: {
      ...properties,
      apiVersion: { type: 'string', description: 'Version of the schema this object is written in.' },
      kind: { type: 'string', description: 'The type of the object.' },
      metadata: metadataSchema(props?.properties?.metadata),
    },
  };
}

/** A CRD may restrict metadata.name and generateName only. */
function metadataSchema(props: JSONSchemaProps | undefined): Schema {
  const rules = props?.properties?.name && valueRules(props.properties.name);
  if (!rules || objectMeta.type !== 'object') return objectMeta;
  const { name, ...others } = objectMeta.properties;
  return { ...objectMeta, properties: { ...others, name: { ...(name ?? { type: 'string' }), rules } } };
}

function compile(props: JSONSchemaProps): Schema {
  const facets = facetsOf(props);
  if (props['x-kubernetes-int-or-string']) return { ...facets, type: 'intOrString' };
  switch (props.type) {
    case 'object':
      return { ...facets, ...objectOrMap(props) };
    case 'array':
      return { ...facets, ...listOf(props) };
    case 'string':
      return { ...facets, type: 'string' };
    case 'integer':
      return { ...facets, type: 'integer', bits: props.format === 'int32' ? 32 : 64 };
    case 'number':
      return { ...facets, type: 'number' };
    case 'boolean':
      return { ...facets, type: 'boolean' };
    default:
      return { ...facets, type: 'any' };
  }
}

function facetsOf(props: JSONSchemaProps) {
  const rules = valueRules(props);
  return {
    ...(props.description === undefined ? {} : { description: props.description }),
    ...(props.default === undefined ? {} : { default: props.default }),
    ...(props.nullable ? { nullable: true } : {}),
    ...(rules ? { rules } : {}),
  };
}

function objectOrMap(props: JSONSchemaProps): Schema {
  const atomic = props['x-kubernetes-map-type'] === 'atomic' ? { atomic: true } : {};
  const additional = props.additionalProperties;
  if (additional !== undefined && additional !== false && !props.properties) {
    return { type: 'map', values: typeof additional === 'object' ? compile(additional) : { type: 'any' }, ...atomic };
  }
  const required = new Set(props.required);
  const properties: Record<string, Schema> = {};
  for (const [name, child] of Object.entries(props.properties ?? {})) {
    properties[name] = { ...compile(child), ...(required.has(name) ? { required: true } : {}) };
  }
  const embedded = props['x-kubernetes-embedded-resource'];
  // Required fields that no property describes (allowed beside preserve-unknown-fields) are any value.
  for (const name of required) properties[name] ??= { type: 'any', required: true };
  if (embedded) {
    properties.apiVersion ??= { type: 'string', required: true };
    properties.kind ??= { type: 'string', required: true };
    properties.metadata = objectMeta;
  }
  return {
    type: 'object',
    properties,
    ...atomic,
    ...(props['x-kubernetes-preserve-unknown-fields'] ? { preserveUnknown: true } : {}),
    ...(embedded ? { embedded: true } : {}),
  };
}

function listOf(props: JSONSchemaProps): Schema {
  const items: Schema = props.items ? compile(props.items) : { type: 'any' };
  const listType = props['x-kubernetes-list-type'] ?? 'atomic';
  const keys = props['x-kubernetes-list-map-keys'];
  return { type: 'list', items, listType, ...(listType === 'map' && keys ? { keys } : {}) };
}
