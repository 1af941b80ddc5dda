import type { CustomResourceDefinition } from '@ballast/kube';
import type { FieldProblem } from '../object/failures.ts';
import { duplicateValue, invalidValue, requiredValue } from '../object/field-problems.ts';
import { structuralProblems } from './structural.ts';

const DNS_LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const VERSION = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;

/** Everything that is wrong with a CustomResourceDefinition, all at once. `old` is the stored one on updates. */
export function crdProblems(crd: CustomResourceDefinition, old?: CustomResourceDefinition): FieldProblem[] {
  const { spec } = crd;
  const problems = [...nameProblems(crd), ...versionProblems(crd)];
  if (spec.preserveUnknownFields) {
    problems.push(
      invalidValue('spec.preserveUnknownFields', true, 'must be false in order to use defaults in the schema'),
    );
  }
  if (spec.conversion?.strategy === 'Webhook') {
    problems.push(
      invalidValue(
        'spec.conversion.strategy',
        'Webhook',
        'this server converts between versions by apiVersion only; use None',
      ),
    );
  }
  if (old) problems.push(...immutableProblems(crd, old));
  return problems;
}

function nameProblems({ metadata, spec }: CustomResourceDefinition): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const { group, names } = spec;
  if (!DNS_SUBDOMAIN.test(group)) problems.push(invalidValue('spec.group', group, 'must be a DNS subdomain'));
  else if (!group.includes('.'))
    problems.push(invalidValue('spec.group', group, 'should be a domain with at least one dot'));
  if (metadata.name !== `${names.plural}.${group}`) {
    problems.push(invalidValue('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'));
  }
  if (!DNS_LABEL.test(names.plural))
    problems.push(invalidValue('spec.names.plural', names.plural, 'must be a DNS label'));
  if (names.singular && !DNS_LABEL.test(names.singular)) {
    problems.push(invalidValue('spec.names.singular', names.singular, 'must be a DNS label'));
  }
  if (!DNS_LABEL.test(names.kind.toLowerCase())) {
    problems.push(
      invalidValue('spec.names.kind', names.kind, 'may have mixed case, but should otherwise match a DNS label'),
    );
  }
  if (names.listKind === names.kind) {
    problems.push(invalidValue('spec.names.listKind', names.listKind, 'kind and listKind may not be the same'));
  }
  for (const [i, name] of (names.shortNames ?? []).entries()) {
    if (!DNS_LABEL.test(name)) problems.push(invalidValue(`spec.names.shortNames[${i}]`, name, 'must be a DNS label'));
  }
  return problems;
}

function versionProblems({ spec }: CustomResourceDefinition): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const seen = new Set<string>();
  for (const [i, version] of spec.versions.entries()) {
    const path = `spec.versions[${i}]`;
    if (!VERSION.test(version.name)) problems.push(invalidValue(`${path}.name`, version.name, 'must be a DNS label'));
    if (seen.has(version.name)) problems.push(duplicateValue(`${path}.name`, version.name));
    seen.add(version.name);
    const props = version.schema?.openAPIV3Schema;
    if (props) problems.push(...structuralProblems(props, `${path}.schema.openAPIV3Schema`));
    else problems.push(requiredValue(`${path}.schema.openAPIV3Schema`, 'schemas are required'));
    for (const [column, { jsonPath }] of (version.additionalPrinterColumns ?? []).entries()) {
      if (!jsonPath.startsWith('.')) {
        problems.push(
          invalidValue(
            `${path}.additionalPrinterColumns[${column}].jsonPath`,
            jsonPath,
            'must be a simple json path starting with .',
          ),
        );
      }
    }
  }
  const stored = spec.versions.filter(({ storage }) => storage).length;
  if (stored !== 1) {
    problems.push(
      invalidValue(
        'spec.versions',
        spec.versions.map(({ name }) => name),
        'must have exactly one version marked as storage version',
      ),
    );
  }
  return problems;
}

function immutableProblems(crd: CustomResourceDefinition, old: CustomResourceDefinition): FieldProblem[] {
  const problems: FieldProblem[] = [];
  const immutable = [
    ['spec.group', crd.spec.group, old.spec.group],
    ['spec.scope', crd.spec.scope, old.spec.scope],
    ['spec.names.kind', crd.spec.names.kind, old.spec.names.kind],
    ['spec.names.plural', crd.spec.names.plural, old.spec.names.plural],
  ] as const;
  for (const [field, value, before] of immutable)
    if (value !== before) problems.push(invalidValue(field, value, 'field is immutable'));
  const names = new Set(crd.spec.versions.map(({ name }) => name));
  for (const [i, version] of (old.status?.storedVersions ?? []).entries()) {
    if (names.has(version)) continue;
    const what = 'missing from spec.versions; objects may still be stored in it';
    problems.push(invalidValue(`status.storedVersions[${i}]`, version, what));
  }
  return problems;
}
