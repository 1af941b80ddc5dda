import {
  boolean,
  bytes,
  type Infer,
  int32,
  int64,
  kind,
  list,
  mapList,
  object,
  oneOf,
  required,
  string,
  time,
} from '../../schema/index.ts';
import { jsonSchemaPropsSchema } from './json-schema-props.ts';

const APIEXTENSIONS = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';

const namesSchema = object(`${APIEXTENSIONS}.CustomResourceDefinitionNames`, 'What the resource is called.', {
  plural: required(string('Plural, as in paths.')),
  singular: string('Singular; the kind in lower case if absent.'),
  shortNames: list(string(), 'Short names.'),
  kind: required(string('Kind of an object.')),
  listKind: string('Kind of a list.'),
  categories: list(string(), 'Groups of resources, such as all.'),
});
export interface CustomResourceDefinitionNames extends Infer<typeof namesSchema> {}

const columnSchema = object(`${APIEXTENSIONS}.CustomResourceColumnDefinition`, 'A column of the table.', {
  name: required(string('Heading.')),
  type: required(string('Type of the values.')),
  format: string('Format of the values.'),
  description: string('What the column shows.'),
  priority: int32('Above 0 only in wide tables.'),
  jsonPath: required(string('Where the value is.')),
});
export interface CustomResourceColumnDefinition extends Infer<typeof columnSchema> {}

const subresourcesSchema = object(`${APIEXTENSIONS}.CustomResourceSubresources`, 'Parts with a path of their own.', {
  status: object(`${APIEXTENSIONS}.CustomResourceSubresourceStatus`, 'Status is written apart.', {}),
  scale: object(`${APIEXTENSIONS}.CustomResourceSubresourceScale`, 'The object can be scaled.', {
    specReplicasPath: required(string('Path of the desired size.')),
    statusReplicasPath: required(string('Path of the observed size.')),
    labelSelectorPath: string('Path of the selector.'),
  }),
});
export interface CustomResourceSubresources extends Infer<typeof subresourcesSchema> {}

const versionSchema = object(`${APIEXTENSIONS}.CustomResourceDefinitionVersion`, 'A version of the resource.', {
  name: required(string('For example v1beta1.')),
  served: required(boolean('It can be used.')),
  storage: required(boolean('It is the stored one; exactly one is.')),
  deprecated: boolean('Its users are warned.'),
  deprecationWarning: string('The warning.'),
  schema: object(`${APIEXTENSIONS}.CustomResourceValidation`, 'What objects look like.', {
    openAPIV3Schema: jsonSchemaPropsSchema,
  }),
  subresources: subresourcesSchema,
  additionalPrinterColumns: list(columnSchema, 'Columns of the table.'),
  selectableFields: list(
    object(`${APIEXTENSIONS}.SelectableField`, 'A field for selectors.', {
      jsonPath: required(string('Where it is.')),
    }),
    'Fields that field selectors can use.',
  ),
});
export interface CustomResourceDefinitionVersion extends Infer<typeof versionSchema> {}

const conversionSchema = object(`${APIEXTENSIONS}.CustomResourceConversion`, 'How versions become each other.', {
  strategy: required(oneOf(['None', 'Webhook'], 'Only apiVersion changes, or a webhook is asked.')),
  webhook: object(`${APIEXTENSIONS}.WebhookConversion`, 'The webhook.', {
    clientConfig: object(`${APIEXTENSIONS}.WebhookClientConfig`, 'How it is reached.', {
      url: string('By URL.'),
      service: object(`${APIEXTENSIONS}.ServiceReference`, 'By Service.', {
        namespace: required(string('Namespace.')),
        name: required(string('Name.')),
        path: string('Path.'),
        port: int32('Port; 443 if absent.'),
      }),
      caBundle: bytes('Its certificate authority, PEM.'),
    }),
    conversionReviewVersions: required(list(string(), 'Review versions that it understands.')),
  }),
});

const conditionSchema = object(`${APIEXTENSIONS}.CustomResourceDefinitionCondition`, 'One aspect of the state.', {
  type: required(string('The aspect.')),
  status: required(string('Whether it holds.')),
  lastTransitionTime: time('Last change.'),
  reason: string('One word for programs.'),
  message: string('A sentence for people.'),
  observedGeneration: int64('The generation this was judged from.'),
});
export interface CustomResourceDefinitionCondition extends Infer<typeof conditionSchema> {}

const specSchema = object(`${APIEXTENSIONS}.CustomResourceDefinitionSpec`, 'The resource.', {
  group: required(string('Its group.')),
  names: required(namesSchema),
  scope: required(oneOf(['Cluster', 'Namespaced'], 'Whether objects are in namespaces.')),
  versions: required(list(versionSchema, 'Its versions.')),
  conversion: conversionSchema,
  preserveUnknownFields: boolean('Must be false.'),
});
export interface CustomResourceDefinitionSpec extends Infer<typeof specSchema> {}

const statusSchema = object(`${APIEXTENSIONS}.CustomResourceDefinitionStatus`, 'Observed state.', {
  conditions: mapList('type', conditionSchema, 'Details.', { patch: 'replace' }),
  acceptedNames: namesSchema,
  storedVersions: list(string(), 'Versions that objects may be stored in.'),
  observedGeneration: int64('The generation this was judged from.'),
});
export interface CustomResourceDefinitionStatus extends Infer<typeof statusSchema> {}

export const customResourceDefinitionSchema = kind(
  `${APIEXTENSIONS}.CustomResourceDefinition`,
  'A resource that users add to the API.',
  { spec: required(specSchema), status: statusSchema },
);
export interface CustomResourceDefinition extends Infer<typeof customResourceDefinitionSchema> {}
