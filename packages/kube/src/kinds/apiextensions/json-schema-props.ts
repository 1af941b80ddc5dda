import {
  any,
  boolean,
  int64,
  list,
  map,
  mapList,
  number,
  object,
  recursiveObject,
  required,
  type Schema,
  string,
  type Typed,
} from '../../schema/index.ts';

const APIEXTENSIONS = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';

export interface ValidationRule {
  rule: string;
  message?: string;
  messageExpression?: string;
  reason?: string;
  fieldPath?: string;
  optionalOldSelf?: boolean;
}

/** The schema of a custom resource, as a CustomResourceDefinition carries it (OpenAPI v3 with extensions). */
export interface JSONSchemaProps {
  id?: string;
  $schema?: string;
  $ref?: string;
  description?: string;
  type?: string;
  format?: string;
  title?: string;
  default?: unknown;
  maximum?: number;
  exclusiveMaximum?: boolean;
  minimum?: number;
  exclusiveMinimum?: boolean;
  maxLength?: number;
  minLength?: number;
  pattern?: string;
  maxItems?: number;
  minItems?: number;
  uniqueItems?: boolean;
  multipleOf?: number;
  enum?: unknown[];
  maxProperties?: number;
  minProperties?: number;
  required?: string[];
  items?: JSONSchemaProps;
  allOf?: JSONSchemaProps[];
  oneOf?: JSONSchemaProps[];
  anyOf?: JSONSchemaProps[];
  not?: JSONSchemaProps;
  properties?: Record<string, JSONSchemaProps>;
  additionalProperties?: JSONSchemaProps | boolean;
  patternProperties?: Record<string, JSONSchemaProps>;
  dependencies?: Record<string, unknown>;
  additionalItems?: JSONSchemaProps | boolean;
  definitions?: Record<string, JSONSchemaProps>;
  externalDocs?: { description?: string; url?: string };
  example?: unknown;
  nullable?: boolean;
  'x-kubernetes-preserve-unknown-fields'?: boolean;
  'x-kubernetes-embedded-resource'?: boolean;
  'x-kubernetes-int-or-string'?: boolean;
  'x-kubernetes-list-map-keys'?: string[];
  'x-kubernetes-list-type'?: 'atomic' | 'set' | 'map';
  'x-kubernetes-map-type'?: 'atomic' | 'granular';
  'x-kubernetes-validations'?: ValidationRule[];
}

const validationRuleSchema = object(`${APIEXTENSIONS}.ValidationRule`, 'A rule in CEL.', {
  rule: required(string('The expression.')),
  message: string('What to say when it fails.'),
  messageExpression: string('The same, as an expression.'),
  reason: string('Machine-readable reason.'),
  fieldPath: string('The field that is blamed.'),
  optionalOldSelf: boolean('oldSelf may be absent.'),
});

export const jsonSchemaPropsSchema: Schema & Typed<JSONSchemaProps> = recursiveObject<JSONSchemaProps>(
  `${APIEXTENSIONS}.JSONSchemaProps`,
  'A schema in OpenAPI v3.',
  () => ({
    id: string(),
    $schema: string(),
    $ref: string(),
    description: string(),
    type: string(),
    format: string(),
    title: string(),
    default: any(),
    maximum: number(),
    exclusiveMaximum: boolean(),
    minimum: number(),
    exclusiveMinimum: boolean(),
    maxLength: int64(),
    minLength: int64(),
    pattern: string(),
    maxItems: int64(),
    minItems: int64(),
    uniqueItems: boolean(),
    multipleOf: number(),
    enum: list(any()),
    maxProperties: int64(),
    minProperties: int64(),
    required: list(string()),
    items: jsonSchemaPropsSchema,
    allOf: list(jsonSchemaPropsSchema),
    oneOf: list(jsonSchemaPropsSchema),
    anyOf: list(jsonSchemaPropsSchema),
    not: jsonSchemaPropsSchema,
    properties: map(jsonSchemaPropsSchema),
    additionalProperties: any(),
    patternProperties: map(jsonSchemaPropsSchema),
    dependencies: map(any()),
    additionalItems: any(),
    definitions: map(jsonSchemaPropsSchema),
    externalDocs: object(`${APIEXTENSIONS}.ExternalDocumentation`, 'A link.', { description: string(), url: string() }),
    example: any(),
    nullable: boolean(),
    'x-kubernetes-preserve-unknown-fields': boolean(),
    'x-kubernetes-embedded-resource': boolean(),
    'x-kubernetes-int-or-string': boolean(),
    'x-kubernetes-list-map-keys': list(string()),
    'x-kubernetes-list-type': string(),
    'x-kubernetes-map-type': string(),
    'x-kubernetes-validations': mapList('rule', validationRuleSchema),
  }),
);
