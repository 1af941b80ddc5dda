import { isJsonObject, type JsonObject } from '../object/api-object.ts';
import { invalidValue, requiredValue } from '../object/field-problems.ts';
import { labelValue, qualifiedName } from './formats.ts';
import { itemsAt, type Problems } from './problems.ts';

/** Keys and values of a set of labels. */
export function checkLabels(labels: unknown, path: string, problems: Problems): void {
  if (!isJsonObject(labels)) return;
  for (const [key, value] of Object.entries(labels)) {
    problems.format(path, key, qualifiedName);
    problems.format(path, value, labelValue);
  }
}

/** A LabelSelector object. */
export function checkSelector(selector: unknown, path: string, problems: Problems): void {
  if (!isJsonObject(selector)) return;
  checkLabels(selector.matchLabels, `${path}.matchLabels`, problems);
  for (const [requirement, at] of itemsAt(selector, 'matchExpressions', path)) {
    const { key, operator, values } = requirement;
    const count = Array.isArray(values) ? values.length : 0;
    if ((operator === 'In' || operator === 'NotIn') && count === 0) {
      problems.add(requiredValue(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
    if ((operator === 'Exists' || operator === 'DoesNotExist') && count > 0) {
      problems.add({
        reason: 'FieldValueForbidden',
        message: "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
        field: `${at}.values`,
      });
    }
    problems.format(`${at}.key`, key, qualifiedName);
  }
}

/** True when the selector selects everything, which workloads must not. */
export function isEmptySelector(selector: JsonObject): boolean {
  const labels = selector.matchLabels;
  const expressions = selector.matchExpressions;
  return (
    (!isJsonObject(labels) || Object.keys(labels).length === 0) &&
    (!Array.isArray(expressions) || expressions.length === 0)
  );
}

export function emptySelectorProblem(path: string, selector: JsonObject, kind: string) {
  return invalidValue(path, selector, `empty selector is invalid for ${kind}`);
}
