import { parseIp } from '@ballast/base';
import { isJsonObject, type JsonObject, listAt } from '../object/api-object.ts';
import type { FieldProblem } from '../object/failures.ts';
import { invalidValue } from '../object/field-problems.ts';
import { hasClusterIp, isHeadless, specOf } from './service-shape.ts';

export type FamilyName = 'IPv4' | 'IPv6';

export function familyName(family: 4 | 6): FamilyName {
  return family === 4 ? 'IPv4' : 'IPv6';
}

/** Fills in ipFamilyPolicy and ipFamilies of a Service in a cluster of one family. */
export function settleFamilies(service: JsonObject, cluster: FamilyName): void {
  const spec = specOf(service);
  if (!hasClusterIp(service)) return;
  if (typeof spec.clusterIP === 'string' && spec.clusterIP !== '' && listAt(spec, 'clusterIPs').length === 0) {
    spec.clusterIPs = [spec.clusterIP];
  }
  const selectorless = !isJsonObject(spec.selector) || Object.keys(spec.selector).length === 0;
  if (isHeadless(service) && selectorless) {
    // Whoever writes the endpoints of such a Service decides about families, so both are open.
    spec.ipFamilyPolicy ??= listAt(spec, 'ipFamilies').length === 1 ? 'SingleStack' : 'RequireDualStack';
    const [first = cluster] = listAt(spec, 'ipFamilies');
    const other = first === 'IPv4' ? 'IPv6' : 'IPv4';
    spec.ipFamilies = spec.ipFamilyPolicy === 'SingleStack' ? [first] : [first, other];
    return;
  }
  spec.ipFamilyPolicy ??= 'SingleStack';
  if (listAt(spec, 'ipFamilies').length > 0) return;
  const addresses = listAt(spec, 'clusterIPs').map((address) => parseIp(String(address)));
  const families = addresses.flatMap((ip) => (ip ? [familyName(ip.family)] : []));
  spec.ipFamilies = families.length > 0 ? families : [cluster];
}

/** What is wrong with the families of a Service in a cluster of one family. */
export function validateFamilies(service: JsonObject, cluster: FamilyName): FieldProblem[] {
  const spec = specOf(service);
  if (!hasClusterIp(service)) return [];
  const selectorless = !isJsonObject(spec.selector) || Object.keys(spec.selector).length === 0;
  if (isHeadless(service) && selectorless) return [];
  const problems: FieldProblem[] = [];
  if (spec.ipFamilyPolicy === 'RequireDualStack') {
    const why = 'this cluster is not configured for dual-stack services';
    problems.push(invalidValue('spec.ipFamilyPolicy', spec.ipFamilyPolicy, why));
  }
  for (const [i, family] of listAt(spec, 'ipFamilies').entries()) {
    if (family !== cluster)
      problems.push(invalidValue(`spec.ipFamilies[${i}]`, family, 'not configured on this cluster'));
  }
  for (const [i, address] of listAt(spec, 'clusterIPs').entries()) {
    const ip = parseIp(String(address));
    if (ip && familyName(ip.family) !== cluster) {
      const why = `${familyName(ip.family)} is not configured on this cluster`;
      problems.push(invalidValue(`spec.clusterIPs[${i}]`, listAt(spec, 'clusterIPs'), why));
    }
  }
  return problems;
}
