import type { ListSchema, ObjectSchema, Schema, ValueRules } from '@ballast/kube';

/** A schema object of OpenAPI 3.0. */
export type OpenApiSchema = Record<string, unknown>;

/** The schemas of `components.schemas`, by definition name. Named schemas are written once and referred to. */
export type Components = Map<string, OpenApiSchema>;

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

/** Types that upstream names too, so that clients recognise them. */
const NAMED_SCALARS: Readonly<
  Partial<Record<Schema['type'], { readonly name: string; readonly schema: OpenApiSchema }>>
> = {
  time: {
    name: `${META}.Time`,
    schema: { type: 'string', format: 'date-time', description: 'A time in RFC 3339, in whole seconds.' },
  },
  microTime: {
    name: `${META}.MicroTime`,
    schema: { type: 'string', format: 'date-time', description: 'A time in RFC 3339, in microseconds.' },
  },
  quantity: {
    name: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
    schema: { oneOf: [{ type: 'string' }, { type: 'number' }], description: 'An amount such as 100m, 2Gi or 3.' },
  },
  intOrString: {
    name: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
    schema: {
      format: 'int-or-string',
      oneOf: [{ type: 'integer' }, { type: 'string' }],
      description: 'A number or a text.',
    },
  },
};

/** Adds what `schema` refers to to `components`, and returns how to refer to it: a $ref for named schemas, else the schema itself. */
export function reference(schema: Schema, components: Components): OpenApiSchema {
  const scalar = NAMED_SCALARS[schema.type];
  if (scalar) {
    components.set(scalar.name, scalar.schema);
    return refTo(scalar.name);
  }
  if (schema.type === 'object' && schema.name !== undefined) {
    addComponent(schema.name, schema, components);
    return refTo(schema.name);
  }
  return inline(schema, components);
}

/** Writes a named object schema unless it is there already. `extra` is merged into it. */
export function addComponent(
  name: string,
  schema: ObjectSchema,
  components: Components,
  extra: OpenApiSchema = {},
): void {
  if (components.has(name)) return;
  const component: OpenApiSchema = schema.description === undefined ? {} : { description: schema.description };
  // Set before its fields are walked: a schema may refer to itself.
  components.set(name, component);
  Object.assign(component, inline(schema, components), extra);
}

const refTo = (name: string): OpenApiSchema => ({ $ref: `#/components/schemas/${name}` });

/** A field: its type, and what is particular to this use of it. A $ref cannot have siblings in OpenAPI 3.0, hence allOf. */
function field(schema: Schema, components: Components): OpenApiSchema {
  const type = reference(schema, components);
  const named = schema.type === 'object' && schema.name !== undefined ? components.get(schema.name) : undefined;
  // kubectl explain shows the description of the field and that of its type; once is enough.
  const ownDescription = schema.description !== undefined && schema.description !== named?.description;
  const extra = {
    ...(ownDescription ? { description: schema.description } : {}),
    ...(schema.default === undefined ? {} : { default: schema.default }),
  };
  if ('$ref' in type && Object.keys(extra).length === 0) return type;
  return '$ref' in type ? { ...extra, allOf: [type] } : { ...type, ...extra };
}

function inline(schema: Schema, components: Components): OpenApiSchema {
  return {
    ...(schema.description === undefined ? {} : { description: schema.description }),
    ...typeOf(schema, components),
    ...(schema.nullable ? { nullable: true } : {}),
    ...(schema.rules ? ruleKeywords(schema.rules) : {}),
  };
}

/** Rules are already keywords of OpenAPI; properties inside junctors are too. */
const ruleKeywords = (rules: ValueRules): OpenApiSchema => ({ ...rules });

function typeOf(schema: Schema, components: Components): OpenApiSchema {
  switch (schema.type) {
    case 'object':
      return objectType(schema, components);
    case 'map':
      return {
        type: 'object',
        additionalProperties: field(schema.values, components),
        ...(schema.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
      };
    case 'list':
      return { type: 'array', items: field(schema.items, components), ...listExtensions(schema) };
    case 'integer':
      return { type: 'integer', format: `int${schema.bits}` };
    case 'number':
      return { type: 'number', format: 'double' };
    case 'bytes':
      return { type: 'string', format: 'byte' };
    case 'any':
      return { 'x-kubernetes-preserve-unknown-fields': true };
    case 'string':
      return { type: 'string', ...(schema.values ? { enum: [...schema.values] } : {}) };
    default:
      return { type: schema.type };
  }
}

function objectType(schema: ObjectSchema, components: Components): OpenApiSchema {
  const names = Object.keys(schema.properties).sort();
  const required = names.filter((name) => schema.properties[name]?.required);
  const properties: Record<string, OpenApiSchema> = {};
  for (const name of names) {
    const child = schema.properties[name];
    if (child) properties[name] = { ...field(child, components), ...patchExtensions(child) };
  }
  return {
    type: 'object',
    ...(names.length > 0 ? { properties } : {}),
    ...(required.length > 0 ? { required } : {}),
    ...(schema.preserveUnknown ? { 'x-kubernetes-preserve-unknown-fields': true } : {}),
    ...(schema.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    ...(schema.embedded ? { 'x-kubernetes-embedded-resource': true } : {}),
  };
}

function listExtensions({ listType, keys }: ListSchema): OpenApiSchema {
  return { 'x-kubernetes-list-type': listType, ...(keys ? { 'x-kubernetes-list-map-keys': keys } : {}) };
}

/** How strategic merge patch treats the field; clients that compute patches read this. */
function patchExtensions(schema: Schema): OpenApiSchema {
  if (schema.type !== 'list' && schema.type !== 'object') return {};
  if (schema.patchStrategy === undefined) return {};
  const mergeKey = schema.type === 'list' ? schema.patchMergeKey : undefined;
  return {
    'x-kubernetes-patch-strategy': schema.patchStrategy,
    ...(mergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': mergeKey }),
  };
}
