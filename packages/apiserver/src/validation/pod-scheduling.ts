import { isJsonObject, type JsonObject, listAt } from '../object/api-object.ts';
import { duplicateValue, invalidValue, requiredValue } from '../object/field-problems.ts';
import { labelValue, qualifiedName } from './formats.ts';
import { checkLabels, checkSelector } from './labels.ts';
import { itemsAt, type Problems } from './problems.ts';

/** Everything in a pod spec that says where the pod may run. */
export function checkScheduling(spec: JsonObject, path: string, problems: Problems): void {
  checkLabels(spec.nodeSelector, `${path}.nodeSelector`, problems);
  for (const [toleration, at] of itemsAt(spec, 'tolerations', path)) checkToleration(toleration, at, problems);
  checkAffinity(spec.affinity, `${path}.affinity`, problems);
  const seen = new Set<string>();
  for (const [constraint, at] of itemsAt(spec, 'topologySpreadConstraints', path)) {
    const { maxSkew, topologyKey, whenUnsatisfiable } = constraint;
    if (typeof maxSkew !== 'number' || maxSkew <= 0) {
      problems.add(invalidValue(`${at}.maxSkew`, maxSkew ?? 0, 'must be greater than zero'));
    }
    const key = `{${topologyKey}, ${whenUnsatisfiable}}`;
    if (seen.has(key)) problems.add(duplicateValue(`${at}.{topologyKey, whenUnsatisfiable}`, key));
    seen.add(key);
    checkSelector(constraint.labelSelector, `${at}.labelSelector`, problems);
  }
}

function checkToleration(toleration: JsonObject, at: string, problems: Problems): void {
  const { key, operator, value, effect } = toleration;
  if (key) problems.format(`${at}.key`, key, qualifiedName);
  if (!key && operator !== 'Exists') {
    problems.add(
      invalidValue(
        `${at}.operator`,
        operator ?? '',
        'operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ),
    );
  }
  if (operator === 'Exists' && value) {
    problems.add(invalidValue(`${at}.operator`, toleration, "value must be empty when `operator` is 'Exists'"));
  }
  if (operator === undefined || operator === 'Equal') problems.format(`${at}.operator`, value, labelValue);
  if (toleration.tolerationSeconds !== undefined && effect !== 'NoExecute') {
    problems.add(
      invalidValue(`${at}.effect`, effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set"),
    );
  }
}

function checkAffinity(affinity: unknown, path: string, problems: Problems): void {
  if (!isJsonObject(affinity)) return;
  const node = affinity.nodeAffinity;
  if (isJsonObject(node)) {
    const at = `${path}.nodeAffinity`;
    const must = node.requiredDuringSchedulingIgnoredDuringExecution;
    if (isJsonObject(must)) {
      const mustAt = `${at}.requiredDuringSchedulingIgnoredDuringExecution`;
      for (const [term, termAt] of itemsAt(must, 'nodeSelectorTerms', mustAt)) checkNodeTerm(term, termAt, problems);
    }
    for (const [term, termAt] of itemsAt(node, 'preferredDuringSchedulingIgnoredDuringExecution', at)) {
      checkWeight(term, termAt, problems);
      if (isJsonObject(term.preference)) checkNodeTerm(term.preference, `${termAt}.preference`, problems);
    }
  }
  for (const side of ['podAffinity', 'podAntiAffinity']) {
    const terms = affinity[side];
    if (!isJsonObject(terms)) continue;
    const at = `${path}.${side}`;
    for (const [term, termAt] of itemsAt(terms, 'requiredDuringSchedulingIgnoredDuringExecution', at)) {
      checkPodTerm(term, termAt, problems);
    }
    for (const [term, termAt] of itemsAt(terms, 'preferredDuringSchedulingIgnoredDuringExecution', at)) {
      checkWeight(term, termAt, problems);
      if (isJsonObject(term.podAffinityTerm)) checkPodTerm(term.podAffinityTerm, `${termAt}.podAffinityTerm`, problems);
    }
  }
}

function checkWeight(term: JsonObject, at: string, problems: Problems): void {
  const { weight } = term;
  if (typeof weight === 'number' && weight >= 1 && weight <= 100) return;
  problems.add(invalidValue(`${at}.weight`, weight ?? 0, 'must be in the range 1-100'));
}

function checkPodTerm(term: JsonObject, at: string, problems: Problems): void {
  if (term.topologyKey) problems.format(`${at}.topologyKey`, term.topologyKey, qualifiedName);
  checkSelector(term.labelSelector, `${at}.labelSelector`, problems);
  checkSelector(term.namespaceSelector, `${at}.namespaceSelector`, problems);
}

function checkNodeTerm(term: JsonObject, at: string, problems: Problems): void {
  for (const [requirement, requirementAt] of itemsAt(term, 'matchExpressions', at)) {
    const { operator } = requirement;
    const values = listAt(requirement, 'values');
    if ((operator === 'In' || operator === 'NotIn') && values.length === 0) {
      problems.add(requiredValue(`${requirementAt}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
    if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0) {
      problems.add({
        reason: 'FieldValueForbidden',
        message: "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        field: `${requirementAt}.values`,
      });
    }
    if ((operator === 'Gt' || operator === 'Lt') && values.length !== 1) {
      problems.add(
        requiredValue(`${requirementAt}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"),
      );
    }
    if (requirement.key) problems.format(`${requirementAt}.key`, requirement.key, qualifiedName);
  }
}
