/** Pieces of OpenAPI v3 from which the schemas of MetalLB's kinds are put together. */
export type OpenApi = Readonly<Record<string, unknown>>;

export const text = (description: string, rules: OpenApi = {}): OpenApi => ({ type: 'string', description, ...rules });
export const flag = (description: string, rules: OpenApi = {}): OpenApi => ({ type: 'boolean', description, ...rules });
export const integer = (description: string, rules: OpenApi = {}): OpenApi => ({
  type: 'integer',
  format: 'int32',
  description,
  ...rules,
});
export const wideInteger = (description: string, rules: OpenApi = {}): OpenApi =>
  integer(description, { format: 'int64', ...rules });
export const listOf = (items: OpenApi, description: string, rules: OpenApi = {}): OpenApi => ({
  type: 'array',
  description,
  items,
  ...rules,
});
export const texts = (description: string): OpenApi => listOf({ type: 'string' }, description);

export function structure(
  description: string,
  properties: Readonly<Record<string, OpenApi>>,
  required: readonly string[] = [],
): OpenApi {
  return { type: 'object', description, properties, ...(required.length === 0 ? {} : { required }) };
}

/** meta/v1 LabelSelector. */
export const labelSelector = (description: string): OpenApi => ({
  ...structure(description, {
    matchExpressions: listOf(
      structure(
        'One term; all terms must hold.',
        {
          key: text('The label key that the selector applies to.'),
          operator: text('In, NotIn, Exists or DoesNotExist.'),
          values: listOf({ type: 'string' }, 'Values for In and NotIn.', { 'x-kubernetes-list-type': 'atomic' }),
        },
        ['key', 'operator'],
      ),
      'Terms; all must hold.',
      { 'x-kubernetes-list-type': 'atomic' },
    ),
    matchLabels: {
      type: 'object',
      description: 'Labels with their values; all must match.',
      additionalProperties: { type: 'string' },
    },
  }),
  'x-kubernetes-map-type': 'atomic',
});

export const labelSelectors = (description: string): OpenApi =>
  listOf(labelSelector('Terms inside one selector are AND-ed, selectors are OR-ed.'), description);

export interface Column {
  readonly name: string;
  readonly jsonPath: string;
  readonly type: 'string' | 'boolean' | 'integer' | 'date';
  readonly priority?: number;
}
