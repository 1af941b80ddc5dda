import { isJsonObject, type JsonObject, jsonEquals, listAt } from '../object/api-object.ts';
import { duplicateValue, forbiddenValue, invalidValue, requiredValue } from '../object/field-problems.ts';
import { checkContainer } from './container.ts';
import { dnsLabel, dnsSubdomain } from './formats.ts';
import { checkScheduling } from './pod-scheduling.ts';
import { itemsAt, type Problems } from './problems.ts';
import { checkResources } from './resources.ts';
import { checkVolumes } from './volume.ts';

/** A pod spec, in a pod or in a template. */
export function checkPodSpec(spec: JsonObject, path: string, problems: Problems): void {
  const volumes = checkVolumes(spec, path, problems);
  const hostNetwork = spec.hostNetwork === true;
  const names = new Set<unknown>();
  for (const [field, sort] of [
    ['initContainers', 'init'],
    ['containers', 'main'],
    ['ephemeralContainers', 'ephemeral'],
  ] as const) {
    for (const [container, at] of itemsAt(spec, field, path)) {
      checkContainer(container, at, { volumes, hostNetwork, sort }, problems);
      const { name } = container;
      if (!name) continue;
      if (names.has(name)) problems.add(duplicateValue(`${at}.name`, name));
      names.add(name);
    }
  }
  checkHostPorts(spec, path, problems);
  checkDns(spec, path, problems);
  checkScheduling(spec, path, problems);
  checkResources(spec.resources, `${path}.resources`, problems);
  problems.nonNegative(`${path}.terminationGracePeriodSeconds`, spec.terminationGracePeriodSeconds);
  const deadline = spec.activeDeadlineSeconds;
  if (typeof deadline === 'number' && (deadline < 1 || deadline > 2147483647)) {
    problems.add(
      invalidValue(`${path}.activeDeadlineSeconds`, deadline, 'must be between 1 and 2147483647, inclusive'),
    );
  }
  if (spec.hostname) problems.format(`${path}.hostname`, spec.hostname, dnsLabel);
  if (spec.subdomain) problems.format(`${path}.subdomain`, spec.subdomain, dnsLabel);
  for (const field of ['serviceAccountName', 'nodeName', 'priorityClassName', 'runtimeClassName']) {
    if (spec[field]) problems.format(`${path}.${field}`, spec[field], dnsSubdomain);
  }
  for (const [alias, at] of itemsAt(spec, 'hostAliases', path)) {
    for (const name of listAt(alias, 'hostnames')) problems.format(`${at}.hostnames`, name, dnsSubdomain);
  }
  if (spec.hostPID === true && spec.shareProcessNamespace === true) {
    problems.add(
      invalidValue(`${path}.shareProcessNamespace`, true, 'ShareProcessNamespace and HostPID cannot both be enabled'),
    );
  }
}

/** Two containers of one pod cannot have the same port of the node. */
function checkHostPorts(spec: JsonObject, path: string, problems: Problems): void {
  const taken = new Set<string>();
  for (const [container, at] of itemsAt(spec, 'containers', path)) {
    for (const [port, portAt] of itemsAt(container, 'ports', at)) {
      if (!port.hostPort) continue;
      const key = `${port.protocol ?? 'TCP'}/${port.hostIP ?? ''}/${port.hostPort}`;
      if (taken.has(key)) problems.add(duplicateValue(`${portAt}.hostPort`, key));
      taken.add(key);
    }
  }
}

function checkDns(spec: JsonObject, path: string, problems: Problems): void {
  const config = spec.dnsConfig;
  const servers = listAt(config, 'nameservers');
  if (spec.dnsPolicy === 'None') {
    if (!isJsonObject(config)) {
      problems.add(requiredValue(`${path}.dnsConfig`, 'must provide `dnsConfig` when `dnsPolicy` is None'));
    } else if (servers.length === 0) {
      problems.add(
        requiredValue(
          `${path}.dnsConfig.nameservers`,
          'must provide at least one DNS nameserver when `dnsPolicy` is None',
        ),
      );
    }
  }
  if (servers.length > 3) {
    problems.add(invalidValue(`${path}.dnsConfig.nameservers`, servers, 'must not have more than 3 nameservers'));
  }
  for (const [option, at] of itemsAt(isJsonObject(config) ? config : undefined, 'options', `${path}.dnsConfig`)) {
    if (!option.name) problems.add(requiredValue(at, 'must not be empty'));
  }
}

const CHANGEABLE =
  'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)';

/** What may change in a pod depends on the subresource that is written. */
export function checkPodUpdate(pod: JsonObject, old: JsonObject, subresource: string, problems: Problems): void {
  const spec = isJsonObject(pod.spec) ? pod.spec : {};
  const before = isJsonObject(old.spec) ? old.spec : {};
  if (subresource === 'status') return;
  if (subresource === 'binding') return;
  const copy = structuredClone(spec);
  const was = structuredClone(before);
  if (subresource === 'ephemeralcontainers') {
    checkEphemeralUpdate(spec, before, problems);
    delete copy.ephemeralContainers;
    delete was.ephemeralContainers;
    if (!same(copy, was)) problems.add(forbiddenValue('spec', 'only ephemeralContainers may be changed'));
    return;
  }
  if (listAt(spec, 'containers').length !== listAt(before, 'containers').length) {
    problems.add(forbiddenValue('spec.containers', 'pod updates may not add or remove containers'));
    return;
  }
  if (subresource === 'resize') {
    forEachContainer(copy, (container) => delete container.resources);
    forEachContainer(was, (container) => delete container.resources);
    delete copy.resources;
    delete was.resources;
    if (!same(copy, was)) problems.add(forbiddenValue('spec', 'only resources may be changed by a resize'));
    return;
  }
  const images = (target: JsonObject) => forEachContainer(target, (container) => delete container.image);
  for (const target of [copy, was]) {
    images(target);
    delete target.activeDeadlineSeconds;
    delete target.tolerations;
  }
  checkTolerationUpdate(spec, before, problems);
  const deadline = spec.activeDeadlineSeconds;
  const oldDeadline = before.activeDeadlineSeconds;
  if (typeof oldDeadline === 'number' && (typeof deadline !== 'number' || deadline > oldDeadline)) {
    problems.add(
      deadline === undefined
        ? invalidValue('spec.activeDeadlineSeconds', null, 'must not update from a positive integer to nil value')
        : invalidValue('spec.activeDeadlineSeconds', deadline, `must be less than or equal to previous value`),
    );
  }
  if (listAt(before, 'schedulingGates').length > 0) {
    // A pod that is not scheduled yet may lose gates and narrow its node selection.
    for (const target of [copy, was])
      for (const field of ['schedulingGates', 'nodeSelector', 'affinity']) delete target[field];
    const names = new Set(listAt(before, 'schedulingGates').map((gate) => JSON.stringify(gate)));
    if (listAt(spec, 'schedulingGates').some((gate) => !names.has(JSON.stringify(gate)))) {
      problems.add(forbiddenValue('spec.schedulingGates', 'only deletion is allowed, but found new scheduling gate'));
    }
  }
  if (typeof was.terminationGracePeriodSeconds === 'number' && was.terminationGracePeriodSeconds < 0) {
    if (copy.terminationGracePeriodSeconds === 1) was.terminationGracePeriodSeconds = 1;
  }
  if (same(copy, was)) return;
  problems.add(forbiddenValue('spec', `${CHANGEABLE}\n${differences(copy, was)}`));
}

function checkEphemeralUpdate(spec: JsonObject, before: JsonObject, problems: Problems): void {
  const now = new Map<unknown, JsonObject>();
  for (const [container] of itemsAt(spec, 'ephemeralContainers', 'spec')) now.set(container.name, container);
  for (const [container, at] of itemsAt(before, 'ephemeralContainers', 'spec')) {
    const present = now.get(container.name);
    if (!present) {
      problems.add(
        forbiddenValue(
          'spec.ephemeralContainers',
          `existing ephemeral containers ${JSON.stringify(container.name)} may not be removed\n`,
        ),
      );
    } else if (!same(present, container)) {
      problems.add(
        forbiddenValue(at, `existing ephemeral containers ${JSON.stringify(container.name)} may not be changed\n`),
      );
    }
  }
}

function checkTolerationUpdate(spec: JsonObject, before: JsonObject, problems: Problems): void {
  const withoutSeconds = (toleration: unknown) =>
    isJsonObject(toleration) ? canonical({ ...toleration, tolerationSeconds: undefined }) : '';
  const now = new Set(listAt(spec, 'tolerations').map(withoutSeconds));
  if (listAt(before, 'tolerations').every((toleration) => now.has(withoutSeconds(toleration)))) return;
  problems.add(
    forbiddenValue('spec.tolerations', 'existing toleration can not be modified except its tolerationSeconds'),
  );
}

function forEachContainer(spec: JsonObject, change: (container: JsonObject) => void): void {
  for (const field of ['initContainers', 'containers'])
    for (const item of listAt(spec, field)) if (isJsonObject(item)) change(item);
}

/** JSON with sorted keys and without undefined fields. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    isJsonObject(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item,
  );
}

/** Whether two JSON values say the same. */
export const same = jsonEquals;

/** The fields at the top of two objects that are not the same, with their values. */
function differences(now: JsonObject, before: JsonObject): string {
  const fields = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort();
  return fields
    .filter((field) => !same(now[field], before[field]))
    .map(
      (field) =>
        `- ${field}: ${canonical(before[field]) ?? 'absent'}\n+ ${field}: ${canonical(now[field]) ?? 'absent'}`,
    )
    .join('\n');
}
