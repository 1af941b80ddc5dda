import { isJsonObject, type JsonObject, listAt, objectAt, textAt } from '../object/api-object.ts';
import { NONE } from './column.ts';

/** 'a=b,c=d' in key order, or '<none>'. */
export function labelsText(labels: unknown): string {
  if (!isJsonObject(labels)) return NONE;
  const pairs = Object.keys(labels)
    .sort()
    .map((key) => `${key}=${String(labels[key])}`);
  return pairs.length === 0 ? NONE : pairs.join(',');
}

/** A LabelSelector in text form. */
export function selectorText(selector: unknown): string {
  if (!isJsonObject(selector)) return NONE;
  const terms: string[] = [];
  const labels = objectAt(selector, 'matchLabels') ?? {};
  for (const key of Object.keys(labels).sort()) terms.push(`${key}=${String(labels[key])}`);
  for (const requirement of listAt(selector, 'matchExpressions')) {
    const key = textAt(requirement, 'key') ?? '';
    const values = listAt(requirement, 'values').join(',');
    const operator = textAt(requirement, 'operator');
    if (operator === 'In') terms.push(`${key} in (${values})`);
    else if (operator === 'NotIn') terms.push(`${key} notin (${values})`);
    else if (operator === 'Exists') terms.push(key);
    else terms.push(`!${key}`);
  }
  return terms.length === 0 ? NONE : terms.join(',');
}

/** Names and images of the containers of a template, for wide tables. */
export function containerCells(template: unknown): [names: string, images: string] {
  const containers = listAt(objectAt(template, 'spec') ?? {}, 'containers');
  return [
    containers.map((container) => textAt(container, 'name') ?? '').join(','),
    containers.map((container) => textAt(container, 'image') ?? '').join(','),
  ];
}

export function specOf(object: JsonObject): JsonObject {
  return objectAt(object, 'spec') ?? {};
}

export function statusOf(object: JsonObject): JsonObject {
  return objectAt(object, 'status') ?? {};
}

export function countOf(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

/** The condition of a type, if there is one. */
export function conditionOf(object: JsonObject, type: string): JsonObject | undefined {
  for (const condition of listAt(statusOf(object), 'conditions')) {
    if (isJsonObject(condition) && condition.type === type) return condition;
  }
  return undefined;
}

export function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' && value !== '' ? value : otherwise;
}
