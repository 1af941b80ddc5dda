import type { JSONSchemaProps, ValueRules } from '@ballast/kube';

const PLAIN = [
  'enum',
  'format',
  'pattern',
  'minLength',
  'maxLength',
  'minimum',
  'maximum',
  'exclusiveMinimum',
  'exclusiveMaximum',
  'multipleOf',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
] as const satisfies readonly (keyof JSONSchemaProps & keyof ValueRules)[];

/**
 * The value rules at one place of a structural schema. Types and fields are the Schema's; what is below allOf, anyOf, oneOf and not is rules
 * all the way down. Undefined when there are none.
 */
export function valueRules(props: JSONSchemaProps): ValueRules | undefined {
  return withJunctors(props, {});
}

/** The rules of a schema inside a junctor, where properties and items carry rules too. */
function nestedRules(props: JSONSchemaProps): ValueRules {
  const properties = props.properties && mapValues(props.properties, nestedRules);
  const additional =
    typeof props.additionalProperties === 'object' ? nestedRules(props.additionalProperties) : undefined;
  const rules = withJunctors(props, {
    ...(props.required?.length ? { required: props.required } : {}),
    ...(properties ? { properties } : {}),
    ...(additional ? { additionalProperties: additional } : {}),
    ...(props.items ? { items: nestedRules(props.items) } : {}),
  });
  return rules ?? {};
}

function withJunctors(props: JSONSchemaProps, more: ValueRules): ValueRules | undefined {
  const rules: Record<string, unknown> = { ...more };
  for (const name of PLAIN) if (props[name] !== undefined) rules[name] = props[name];
  for (const junctor of ['allOf', 'anyOf', 'oneOf'] as const) {
    // The alternatives of int-or-string only repeat what its type says.
    const idle = props['x-kubernetes-int-or-string'] && junctor !== 'oneOf';
    if (props[junctor]?.length && !idle) rules[junctor] = props[junctor].map(nestedRules);
  }
  if (props.not) rules.not = nestedRules(props.not);
  return Object.keys(rules).length === 0 ? undefined : rules;
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, change: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
