import { isIP } from 'node:net';
import { isJsonObject, type JsonObject, listAt, objectAt } from '../object/api-object.ts';
import {
  duplicateValue,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../object/field-problems.ts';
import { configKey, dnsLabel, isPortNumber, labelValue, PORT_RANGE_TEXT, qualifiedName } from './formats.ts';
import { checkSelector } from './labels.ts';
import { same } from './pod.ts';
import { itemsAt, type Problems } from './problems.ts';
import { isCidr } from './service.ts';

/** Largest ConfigMap or Secret, all values together. */
const MAX_DATA_BYTES = 1024 * 1024;

export function checkConfigMap(object: JsonObject, problems: Problems): void {
  let bytes = 0;
  const data = objectAt(object, 'data') ?? {};
  for (const [key, value] of Object.entries(data)) {
    problems.format(`data[${key}]`, key, configKey);
    bytes += Buffer.byteLength(String(value));
  }
  for (const [key, value] of Object.entries(objectAt(object, 'binaryData') ?? {})) {
    problems.format(`binaryData[${key}]`, key, configKey);
    if (Object.hasOwn(data, key))
      problems.add(invalidValue(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    bytes += Math.floor((String(value).length * 3) / 4);
  }
  if (bytes > MAX_DATA_BYTES) problems.add(tooLong('', MAX_DATA_BYTES));
}

function tooLong(field: string, max: number) {
  return { reason: 'FieldValueTooLong', message: `Too long: may not be more than ${max} bytes`, field };
}

export function checkSecret(object: JsonObject, problems: Problems): void {
  let bytes = 0;
  const data = objectAt(object, 'data') ?? {};
  for (const [key, value] of Object.entries(data)) {
    problems.format(`data[${key}]`, key, configKey);
    bytes += Math.floor((String(value).length * 3) / 4);
  }
  if (bytes > MAX_DATA_BYTES) problems.add(tooLong('data', MAX_DATA_BYTES));
  const text = objectAt(object, 'stringData') ?? {};
  const needed: Record<string, readonly string[]> = {
    'kubernetes.io/tls': ['tls.crt', 'tls.key'],
    'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
    'kubernetes.io/dockercfg': ['.dockercfg'],
    'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  };
  for (const key of needed[String(object.type)] ?? []) {
    if (!Object.hasOwn(data, key) && !Object.hasOwn(text, key)) problems.add(requiredValue(`data[${key}]`));
  }
}

/** What is marked as immutable stays as it is. */
export function checkImmutableData(object: JsonObject, old: JsonObject, problems: Problems): void {
  if (old.immutable !== true) return;
  const why = 'field is immutable when `immutable` is set';
  if (object.immutable !== true) problems.add(forbiddenValue('immutable', why));
  for (const field of ['data', 'binaryData']) {
    if (!same(object[field] ?? {}, old[field] ?? {})) problems.add(forbiddenValue(field, why));
  }
}

export function checkNode(node: JsonObject, problems: Problems): void {
  const seen = new Set<string>();
  for (const [taint, at] of itemsAt(objectAt(node, 'spec'), 'taints', 'spec')) {
    const { key, value, effect } = taint;
    if (key) problems.format(`${at}.key`, key, qualifiedName);
    problems.format(`${at}.value`, value, labelValue);
    const identity = `${key}/${effect}`;
    if (seen.has(identity)) problems.add(duplicateValue(at, taint));
    seen.add(identity);
  }
  const cidrs = listAt(objectAt(node, 'spec') ?? {}, 'podCIDRs');
  for (const [i, cidr] of cidrs.entries()) {
    if (!isCidr(cidr))
      problems.add(
        invalidValue(`spec.podCIDRs[${i}]`, cidr, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'),
      );
  }
}

export function checkNodeUpdate(node: JsonObject, old: JsonObject, problems: Problems): void {
  const before = listAt(objectAt(old, 'spec') ?? {}, 'podCIDRs');
  const now = listAt(objectAt(node, 'spec') ?? {}, 'podCIDRs');
  if (before.length > 0 && !same(before, now)) {
    problems.add(forbiddenValue('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'));
  }
}

export function checkRoleBinding(object: JsonObject, problems: Problems, cluster: boolean): void {
  const role = objectAt(object, 'roleRef') ?? {};
  if (role.apiGroup !== 'rbac.authorization.k8s.io') {
    problems.add(unsupportedValue('roleRef.apiGroup', role.apiGroup ?? '', ['rbac.authorization.k8s.io']));
  }
  const kinds = cluster ? ['ClusterRole'] : ['Role', 'ClusterRole'];
  if (role.kind && !kinds.includes(String(role.kind))) problems.add(unsupportedValue('roleRef.kind', role.kind, kinds));
  for (const [subject, at] of itemsAt({ subjects: object.subjects }, 'subjects', '')) {
    const path = at.slice(1);
    const { kind, namespace } = subject;
    if (kind === 'ServiceAccount') {
      if (!namespace && cluster) problems.add(requiredValue(`${path}.namespace`));
    } else if (kind !== 'User' && kind !== 'Group') {
      problems.add(unsupportedValue(`${path}.kind`, kind ?? '', ['ServiceAccount', 'User', 'Group']));
    }
  }
}

export function checkRoleRefUnchanged(object: JsonObject, old: JsonObject, problems: Problems): void {
  if (!same(object.roleRef, old.roleRef)) {
    problems.add(invalidValue('roleRef', object.roleRef ?? null, 'cannot change roleRef'));
  }
}

export function checkRole(object: JsonObject, problems: Problems): void {
  for (const [rule, at] of itemsAt({ rules: object.rules }, 'rules', '')) {
    const path = at.slice(1);
    if (listAt(rule, 'verbs').length === 0) {
      problems.add(requiredValue(`${path}.verbs`, 'verbs must contain at least one value'));
    }
    if (listAt(rule, 'nonResourceURLs').length > 0) continue;
    if (listAt(rule, 'apiGroups').length === 0) {
      problems.add(requiredValue(`${path}.apiGroups`, 'resource rules must supply at least one api group'));
    }
    if (listAt(rule, 'resources').length === 0) {
      problems.add(requiredValue(`${path}.resources`, 'resource rules must supply at least one resource'));
    }
  }
}

export function checkEndpointSlice(object: JsonObject, problems: Problems): void {
  const type = object.addressType;
  for (const [endpoint, at] of itemsAt({ endpoints: object.endpoints }, 'endpoints', '')) {
    const path = at.slice(1);
    for (const [i, address] of listAt(endpoint, 'addresses').entries()) {
      const version = isIP(String(address));
      if (type === 'IPv4' && version !== 4)
        problems.add(invalidValue(`${path}.addresses[${i}]`, address, 'must be an IPv4 address'));
      if (type === 'IPv6' && version !== 6)
        problems.add(invalidValue(`${path}.addresses[${i}]`, address, 'must be an IPv6 address'));
    }
  }
  const names = new Set<unknown>();
  for (const [port, at] of itemsAt({ ports: object.ports }, 'ports', '')) {
    const name = port.name ?? '';
    const path = at.slice(1);
    if (names.has(name)) problems.add(duplicateValue(`${path}.name`, name));
    names.add(name);
    if (name !== '') problems.format(`${path}.name`, name, dnsLabel);
    if (port.port !== undefined && !isPortNumber(port.port))
      problems.add(invalidValue(`${path}.port`, port.port, PORT_RANGE_TEXT));
  }
}

export function checkEndpointSliceUpdate(object: JsonObject, old: JsonObject, problems: Problems): void {
  if (object.addressType !== old.addressType) {
    problems.add(invalidValue('addressType', object.addressType ?? '', 'field is immutable'));
  }
}

export function checkLease(object: JsonObject, problems: Problems): void {
  const spec = objectAt(object, 'spec') ?? {};
  const { leaseDurationSeconds, leaseTransitions } = spec;
  if (typeof leaseDurationSeconds === 'number' && leaseDurationSeconds <= 0) {
    problems.add(invalidValue('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0'));
  }
  problems.nonNegative('spec.leaseTransitions', leaseTransitions);
}

export function checkDisruptionBudget(object: JsonObject, problems: Problems): void {
  const spec = objectAt(object, 'spec') ?? {};
  if (spec.minAvailable !== undefined && spec.maxUnavailable !== undefined) {
    problems.add(invalidValue('spec', spec, 'minAvailable and maxUnavailable cannot be both set'));
  }
  checkSelector(spec.selector, 'spec.selector', problems);
}

export function checkIngress(object: JsonObject, problems: Problems): void {
  const spec = objectAt(object, 'spec') ?? {};
  if (listAt(spec, 'rules').length === 0 && !isJsonObject(spec.defaultBackend)) {
    problems.add(invalidValue('spec', spec, 'either `defaultBackend` or `rules` must be specified'));
  }
  for (const [rule, at] of itemsAt(spec, 'rules', 'spec')) {
    for (const [path, pathAt] of itemsAt(objectAt(rule, 'http'), 'paths', `${at}.http`)) {
      const text = path.path;
      if (path.pathType !== 'ImplementationSpecific' && !(typeof text === 'string' && text.startsWith('/'))) {
        problems.add(invalidValue(`${pathAt}.path`, text ?? '', 'must be an absolute path'));
      }
    }
  }
}

export function checkNetworkPolicy(object: JsonObject, problems: Problems): void {
  const spec = objectAt(object, 'spec') ?? {};
  checkSelector(spec.podSelector, 'spec.podSelector', problems);
  for (const [direction, side] of [
    ['ingress', 'from'],
    ['egress', 'to'],
  ] as const) {
    for (const [rule, at] of itemsAt(spec, direction, 'spec')) {
      for (const [peer, peerAt] of itemsAt(rule, side, at)) {
        const block = peer.ipBlock;
        if (isJsonObject(block) && !isCidr(block.cidr)) {
          problems.add(
            invalidValue(
              `${peerAt}.ipBlock.cidr`,
              block.cidr ?? '',
              'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
            ),
          );
        }
        if (Object.keys(peer).length === 0) problems.add(requiredValue(peerAt, 'must specify a peer'));
      }
    }
  }
}

/** Fields of a kind that never change once the object exists. */
export function checkUnchanged(
  object: JsonObject,
  old: JsonObject,
  fields: readonly string[],
  problems: Problems,
): void {
  for (const field of fields) {
    const path = field.split('.');
    const parents = path.slice(0, -1);
    const last = path.at(-1) ?? '';
    const now = objectAt(object, ...parents)?.[last];
    const before = objectAt(old, ...parents)?.[last];
    if (!same(now, before)) problems.add(invalidValue(field, now ?? null, 'field is immutable'));
  }
}
