import { type LabelSelector, type Labels, matchesLabelSelector } from '@ballast/kube';

/** True when one of the selectors matches; an empty list matches everything, as in MetalLB. */
export function matchesAny(selectors: readonly LabelSelector[], labels: Labels | undefined): boolean {
  return selectors.length === 0 || selectors.some((selector) => matchesLabelSelector(selector, labels));
}

/** A problem text for each selector that means nothing or occurs twice. */
export function selectorProblems(field: string, selectors: readonly LabelSelector[]): string[] {
  const problems: string[] = [];
  const seen = new Set<string>();
  for (const selector of selectors) {
    const key = JSON.stringify(selector);
    if (seen.has(key)) problems.push(`duplicate selector in ${field}: ${key}`);
    seen.add(key);
    for (const { key: label, operator, values = [] } of selector.matchExpressions ?? []) {
      const takesValues = operator === 'In' || operator === 'NotIn';
      if (!takesValues && operator !== 'Exists' && operator !== 'DoesNotExist') {
        problems.push(`${field}: "${operator}" is not a valid label selector operator`);
      } else if (takesValues !== values.length > 0) {
        problems.push(`${field}: ${operator} on "${label}" ${takesValues ? 'needs' : 'takes no'} values`);
      }
    }
  }
  return problems;
}

/** A problem text for each value that occurs twice. */
export function duplicateProblems(what: string, values: readonly string[]): string[] {
  const seen = new Set<string>();
  const problems: string[] = [];
  for (const value of values) {
    if (seen.has(value)) problems.push(`duplicate ${what} "${value}"`);
    seen.add(value);
  }
  return problems;
}
