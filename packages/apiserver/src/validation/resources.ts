import { parseQuantityNanos } from '@ballast/kube';
import { isJsonObject } from '../object/api-object.ts';
import { invalidValue } from '../object/field-problems.ts';
import { qualifiedName } from './formats.ts';
import type { Problems } from './problems.ts';

const STANDARD = /^(cpu|memory|ephemeral-storage|storage|hugepages-.+)$/;

function quantityOf(value: unknown): bigint | undefined {
  return typeof value === 'string' || typeof value === 'number' ? parseQuantityNanos(value) : undefined;
}

/** Requests and limits of a container or a pod. */
export function checkResources(resources: unknown, path: string, problems: Problems): void {
  if (!isJsonObject(resources)) return;
  const limits = isJsonObject(resources.limits) ? resources.limits : {};
  const requests = isJsonObject(resources.requests) ? resources.requests : {};
  checkAmounts(limits, `${path}.limits`, problems);
  checkAmounts(requests, `${path}.requests`, problems);
  for (const [name, value] of Object.entries(requests)) {
    const limit = quantityOf(limits[name]);
    const request = quantityOf(value);
    if (request === undefined || limit === undefined) continue;
    if (request > limit) {
      problems.add(
        invalidValue(`${path}.requests`, value, `must be less than or equal to ${name} limit of ${limits[name]}`),
      );
    }
  }
}

function checkAmounts(amounts: Record<string, unknown>, path: string, problems: Problems): void {
  for (const [name, value] of Object.entries(amounts)) {
    const at = `${path}[${name}]`;
    if (!name.includes('/') && !STANDARD.test(name)) {
      if (qualifiedName(name) !== undefined) problems.format(at, name, qualifiedName);
      else problems.add(invalidValue(at, name, 'must be a standard resource type or fully qualified'));
      if (qualifiedName(name) === undefined)
        problems.add(invalidValue(at, name, 'must be a standard resource for containers'));
    } else problems.format(at, name, qualifiedName);
    const amount = quantityOf(value);
    if (amount !== undefined && amount < 0n) {
      problems.add(invalidValue(at, value, 'must be greater than or equal to 0'));
    }
  }
}
