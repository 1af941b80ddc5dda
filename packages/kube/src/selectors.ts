/** meta/v1 LabelSelector. */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: LabelSelectorRequirement[];
}

export interface LabelSelectorRequirement {
  key: string;
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | (string & {});
  values?: string[];
}

export type Labels = Readonly<Record<string, string>>;

/** One term of a selector; all terms must hold. */
export interface Requirement {
  readonly key: string;
  readonly operator: 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';
  readonly values: readonly string[];
}

function holds(requirement: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, requirement.key) ? labels[requirement.key] : undefined;
  switch (requirement.operator) {
    case 'in':
      return value !== undefined && requirement.values.includes(value);
    case 'notin':
      return value === undefined || !requirement.values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'gt':
      return value !== undefined && Number(value) > Number(requirement.values[0]);
    case 'lt':
      return value !== undefined && Number(value) < Number(requirement.values[0]);
  }
}

export function matchesRequirements(requirements: readonly Requirement[], labels: Labels | undefined): boolean {
  return requirements.every((requirement) => holds(requirement, labels ?? {}));
}

const OPERATORS: Record<string, Requirement['operator']> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

/** True when the labels satisfy the selector. An empty selector matches everything, an absent one nothing (as upstream). */
export function matchesLabelSelector(selector: LabelSelector | undefined, labels: Labels | undefined): boolean {
  if (!selector) return false;
  const exact = Object.entries(selector.matchLabels ?? {}).every(([key, value]) => labels?.[key] === value);
  return (
    exact &&
    (selector.matchExpressions ?? []).every(({ key, operator, values }) => {
      const known = OPERATORS[operator];
      return known !== undefined && holds({ key, operator: known, values: values ?? [] }, labels ?? {});
    })
  );
}

/** True when the labels carry every pair of a plain map (Service and ReplicationController selectors). An empty map matches nothing. */
export function matchesLabels(selector: Labels | undefined, labels: Labels | undefined): boolean {
  const pairs = Object.entries(selector ?? {});
  return pairs.length > 0 && pairs.every(([key, value]) => labels?.[key] === value);
}

/** The selector as kubectl writes it: 'app=web,tier in (a,b)'. */
export function formatLabelSelector(selector: LabelSelector): string {
  const exact = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const terms = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    switch (operator) {
      case 'In':
        return `${key} in (${values.join(',')})`;
      case 'NotIn':
        return `${key} notin (${values.join(',')})`;
      case 'DoesNotExist':
        return `!${key}`;
      default:
        return key;
    }
  });
  return [...exact, ...terms].join(',');
}

const KEY = '(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?';
const VALUE = '[A-Za-z0-9_.-]*';
const TERMS: readonly { pattern: RegExp; read: (match: RegExpExecArray) => Requirement }[] = [
  {
    pattern: new RegExp(`^(${KEY})\\s+(in|notin)\\s*\\(([^()]*)\\)$`),
    read: ([, key = '', operator, values = '']) => ({
      key,
      operator: operator === 'in' ? 'in' : 'notin',
      values: values.split(',').map((value) => value.trim()),
    }),
  },
  {
    pattern: new RegExp(`^(${KEY})\\s*==?\\s*(${VALUE})$`),
    read: ([, key = '', value = '']) => ({ key, operator: 'in', values: [value] }),
  },
  {
    pattern: new RegExp(`^(${KEY})\\s*!=\\s*(${VALUE})$`),
    read: ([, key = '', value = '']) => ({ key, operator: 'notin', values: [value] }),
  },
  {
    pattern: new RegExp(`^(${KEY})\\s*>\\s*(-?[0-9]+)$`),
    read: ([, key = '', value = '']) => ({ key, operator: 'gt', values: [value] }),
  },
  {
    pattern: new RegExp(`^(${KEY})\\s*<\\s*(-?[0-9]+)$`),
    read: ([, key = '', value = '']) => ({ key, operator: 'lt', values: [value] }),
  },
  { pattern: new RegExp(`^!\\s*(${KEY})$`), read: ([, key = '']) => ({ key, operator: '!', values: [] }) },
  { pattern: new RegExp(`^(${KEY})$`), read: ([, key = '']) => ({ key, operator: 'exists', values: [] }) },
];

/** Raised for selector texts that cannot be parsed; the API server answers 400 with this message. */
export class SelectorSyntaxError extends Error {}

/** Splits at commas outside of parentheses. */
function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i <= text.length; i++) {
    const c = text[i];
    if (c === '(') depth++;
    else if (c === ')') depth--;
    else if (c === undefined || (c === ',' && depth === 0)) {
      terms.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  return terms;
}

/** Parses kubectl's label selector syntax; '' is the selector that matches everything. Throws SelectorSyntaxError. */
export function parseLabelSelector(text: string): Requirement[] {
  if (text.trim() === '') return [];
  return splitTerms(text).map((term) => {
    for (const { pattern, read } of TERMS) {
      const match = pattern.exec(term);
      if (match) return read(match);
    }
    throw new SelectorSyntaxError(
      `unable to parse requirement: found '${term}', expected a term such as 'key=value', 'key in (a,b)', '!key'`,
    );
  });
}

/** A field selector term: the path as written, and whether it must equal or differ. */
export interface FieldRequirement {
  readonly path: string;
  readonly equal: boolean;
  readonly value: string;
}

/** Parses 'spec.nodeName=a,status.phase!=Failed'. Backslash escapes comma, equals and backslash in values. Throws SelectorSyntaxError. */
export function parseFieldSelector(text: string): FieldRequirement[] {
  if (text.trim() === '') return [];
  return text.split(/(?<!\\),/).map((term) => {
    const match = /^([A-Za-z0-9_.[\]'"/-]+)(==|!=|=)(.*)$/s.exec(term.trim());
    if (!match) throw new SelectorSyntaxError(`invalid selector: '${term}'; can't understand '${term}'`);
    const [, path = '', operator, value = ''] = match;
    return { path, equal: operator !== '!=', value: value.replace(/\\([,=\\])/g, '$1') };
  });
}
