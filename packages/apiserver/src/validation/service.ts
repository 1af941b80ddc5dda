import { isIP } from 'node:net';
import { isJsonObject, type JsonObject, listAt, objectAt } from '../object/api-object.ts';
import {
  duplicateValue,
  forbiddenValue,
  invalidValue,
  requiredValue,
  unsupportedValue,
} from '../object/field-problems.ts';
import { checkPort } from './container.ts';
import { dnsLabel, dnsSubdomain, isPortNumber, PORT_RANGE_TEXT } from './formats.ts';
import { checkLabels } from './labels.ts';
import { same } from './pod.ts';
import { itemsAt, type Problems } from './problems.ts';

const MAX_AFFINITY_SECONDS = 86400;
const DISTRIBUTIONS = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];

/** A Service, apart from what only allocation can know. */
export function checkService(service: JsonObject, problems: Problems): void {
  const spec = isJsonObject(service.spec) ? service.spec : {};
  const { type } = spec;
  const headless = spec.clusterIP === 'None';
  if (listAt(spec, 'ports').length === 0 && !headless && type !== 'ExternalName')
    problems.add(requiredValue('spec.ports'));
  checkPorts(spec, problems);
  checkLabels(spec.selector, 'spec.selector', problems);
  checkTypeFields(spec, problems);
  checkClusterIPs(spec, problems);
  checkAffinity(spec, problems);
  checkExternalIPs(spec, problems);
  checkTrafficPolicies(spec, problems);
  const ingress = listAt(objectAt(service, 'status', 'loadBalancer') ?? {}, 'ingress');
  if (ingress.length > 0) checkIngress(service, type, problems);
}

function checkPorts(spec: JsonObject, problems: Problems): void {
  const { type } = spec;
  const several = listAt(spec, 'ports').length > 1;
  const names = new Set<unknown>();
  const numbers = new Set<string>();
  const nodePorts = new Set<string>();
  for (const [port, at] of itemsAt(spec, 'ports', 'spec')) {
    const { name, port: number, protocol, targetPort, nodePort } = port;
    if (several && !name) problems.add(requiredValue(`${at}.name`));
    else if (name) {
      problems.format(`${at}.name`, name, dnsLabel);
      if (names.has(name)) problems.add(duplicateValue(`${at}.name`, name));
      names.add(name);
    }
    if (!isPortNumber(number)) problems.add(invalidValue(`${at}.port`, number ?? 0, PORT_RANGE_TEXT));
    if (targetPort !== undefined) checkPort(targetPort, `${at}.targetPort`, problems);
    const key = `${protocol}/${number}`;
    if (numbers.has(key)) problems.add(duplicateValue(at, { protocol, port: number }));
    numbers.add(key);
    if (!nodePort) continue;
    if (type === 'ClusterIP')
      problems.add(forbiddenValue(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
    else if (type === 'ExternalName')
      problems.add(forbiddenValue(`${at}.nodePort`, "may not be used when `type` is 'ExternalName'"));
    const nodeKey = `${protocol}/${nodePort}`;
    if (nodePorts.has(nodeKey)) problems.add(duplicateValue(`${at}.nodePort`, nodePort));
    nodePorts.add(nodeKey);
  }
}

function checkTypeFields(spec: JsonObject, problems: Problems): void {
  const { type } = spec;
  if (type === 'ExternalName') {
    const name = spec.externalName;
    if (problems.required('spec.externalName', name))
      problems.format('spec.externalName', String(name).replace(/\.$/, ''), dnsSubdomain);
    for (const field of ['clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) {
      const value = spec[field];
      if (Array.isArray(value) ? value.length > 0 : Boolean(value)) {
        problems.add(forbiddenValue(`spec.${field}`, 'may not be set for ExternalName services'));
      }
    }
    if (spec.clusterIP && listAt(spec, 'clusterIPs').length === 0) {
      problems.add(forbiddenValue('spec.clusterIPs', 'may not be set for ExternalName services'));
    }
  }
  if (type === 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === undefined) {
      problems.add(requiredValue('spec.allocateLoadBalancerNodePorts'));
    }
  } else {
    const only = "may only be used when `type` is 'LoadBalancer'";
    if (spec.allocateLoadBalancerNodePorts !== undefined)
      problems.add(forbiddenValue('spec.allocateLoadBalancerNodePorts', only));
    if (spec.loadBalancerClass !== undefined) problems.add(forbiddenValue('spec.loadBalancerClass', only));
    if (listAt(spec, 'loadBalancerSourceRanges').length > 0) {
      problems.add(forbiddenValue('spec.LoadBalancerSourceRanges', only));
    }
  }
  for (const range of listAt(spec, 'loadBalancerSourceRanges')) {
    if (!isCidr(range)) {
      problems.add(
        invalidValue(
          'spec.LoadBalancerSourceRanges',
          spec.loadBalancerSourceRanges,
          'must be a list of IP ranges. For example, 10.240.0.0/24,10.250.0.0/24',
        ),
      );
      break;
    }
  }
}

export function isCidr(text: unknown): boolean {
  if (typeof text !== 'string') return false;
  const match = /^(.+)\/(\d{1,3})$/.exec(text.trim());
  if (!match) return false;
  const version = isIP(match[1] ?? '');
  return version !== 0 && Number(match[2]) <= (version === 4 ? 32 : 128);
}

function checkClusterIPs(spec: JsonObject, problems: Problems): void {
  const { clusterIP, type } = spec;
  const ips = listAt(spec, 'clusterIPs');
  if (ips.length > 0 && !clusterIP) {
    problems.add(invalidValue('spec.clusterIPs', ips, 'must be empty when `clusterIP` is not specified'));
  } else if (ips.length > 0 && clusterIP !== ips[0]) {
    problems.add(invalidValue('spec.clusterIPs', ips, 'first value must match `clusterIP`'));
  }
  if (ips.length > 2) problems.add(invalidValue('spec.clusterIPs', ips, 'may only hold up to 2 values'));
  const given = ips.length > 0 ? ips : clusterIP ? [clusterIP] : [];
  for (const [i, ip] of given.entries()) {
    if (ip === 'None') {
      if (given.length > 1)
        problems.add(invalidValue(`spec.clusterIPs[${i}]`, ip, "'None' must be the first and only value"));
      if (type === 'LoadBalancer' || type === 'NodePort') {
        problems.add(invalidValue(`spec.clusterIPs[${i}]`, ip, `may not be set to 'None' for ${type} services`));
      }
    } else if (typeof ip === 'string' && ip !== '' && isIP(ip) === 0) {
      problems.add(
        invalidValue(`spec.clusterIPs[${i}]`, ip, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'),
      );
    }
  }
  if (given.length === 2 && given[0] !== 'None' && isIP(String(given[0])) === isIP(String(given[1]))) {
    problems.add(invalidValue('spec.clusterIPs', ips, 'may specify no more than one IP for each IP family'));
  }
}

function checkAffinity(spec: JsonObject, problems: Problems): void {
  const at = 'spec.sessionAffinityConfig';
  const config = spec.sessionAffinityConfig;
  if (spec.sessionAffinity === 'None' && config !== undefined) {
    problems.add(forbiddenValue(at, 'must not be set when session affinity is None'));
  }
  if (spec.sessionAffinity !== 'ClientIP') return;
  const seconds = objectAt(config, 'clientIP')?.timeoutSeconds;
  if (typeof seconds === 'number' && (seconds <= 0 || seconds > MAX_AFFINITY_SECONDS)) {
    problems.add(
      invalidValue(
        `${at}.clientIP.timeoutSeconds`,
        seconds,
        `must be greater than 0 and less than ${MAX_AFFINITY_SECONDS}`,
      ),
    );
  }
}

function checkExternalIPs(spec: JsonObject, problems: Problems): void {
  for (const [i, ip] of listAt(spec, 'externalIPs').entries()) {
    const at = `spec.externalIPs[${i}]`;
    const text = typeof ip === 'string' ? ip : '';
    if (isIP(text) === 0) {
      problems.add(invalidValue(at, ip, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'));
      continue;
    }
    const wrong = specialAddress(text.toLowerCase());
    if (wrong) problems.add(invalidValue(at, ip, wrong));
  }
}

/** Why an address cannot be somebody's: upstream's words. */
function specialAddress(ip: string): string | undefined {
  if (ip === '0.0.0.0' || ip === '::') return `may not be unspecified (${ip})`;
  if (/^127\./.test(ip) || ip === '::1') return 'may not be in the loopback range (127.0.0.0/8, ::1/128)';
  if (/^169\.254\./.test(ip) || /^fe[89ab][0-9a-f]:/.test(ip))
    return 'may not be in the link-local range (169.254.0.0/16, fe80::/10)';
  if (/^224\.0\.0\./.test(ip) || /^ff[0-9a-f]2:/.test(ip))
    return 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)';
  return undefined;
}

function checkTrafficPolicies(spec: JsonObject, problems: Problems): void {
  const { type, externalTrafficPolicy, healthCheckNodePort, trafficDistribution } = spec;
  const external =
    type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && listAt(spec, 'externalIPs').length > 0);
  if (externalTrafficPolicy && !external) {
    problems.add(
      invalidValue(
        'spec.externalTrafficPolicy',
        externalTrafficPolicy,
        'may only be set for externally-accessible services',
      ),
    );
  }
  if (external && !externalTrafficPolicy) problems.add(requiredValue('spec.externalTrafficPolicy'));
  if (healthCheckNodePort && !(type === 'LoadBalancer' && externalTrafficPolicy === 'Local')) {
    problems.add(
      invalidValue(
        'spec.healthCheckNodePort',
        healthCheckNodePort,
        "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      ),
    );
  }
  if (trafficDistribution !== undefined && !DISTRIBUTIONS.includes(String(trafficDistribution))) {
    problems.add(unsupportedValue('spec.trafficDistribution', trafficDistribution, DISTRIBUTIONS));
  }
}

function checkIngress(service: JsonObject, type: unknown, problems: Problems): void {
  const status = objectAt(service, 'status', 'loadBalancer');
  if (type !== 'LoadBalancer') {
    problems.add(forbiddenValue('status.loadBalancer.ingress', "may only be used when `spec.type` is 'LoadBalancer'"));
    return;
  }
  for (const [ingress, at] of itemsAt(status, 'ingress', 'status.loadBalancer')) {
    const { ip, ipMode, hostname } = ingress;
    if (ip && isIP(String(ip)) === 0)
      problems.add(invalidValue(`${at}.ip`, ip, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'));
    if (ip && ipMode === undefined) problems.add(requiredValue(`${at}.ipMode`, 'must be specified when `ip` is set'));
    if (!ip && ipMode !== undefined)
      problems.add(forbiddenValue(`${at}.ipMode`, 'may not be specified when `ip` is not set'));
    if (hostname) {
      problems.format(`${at}.hostname`, hostname, dnsSubdomain);
      if (isIP(String(hostname)) !== 0)
        problems.add(invalidValue(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address'));
    }
  }
}

/** Addresses of a Service stay, as long as its type does. */
export function checkServiceUpdate(service: JsonObject, old: JsonObject, problems: Problems): void {
  const spec = isJsonObject(service.spec) ? service.spec : {};
  const before = isJsonObject(old.spec) ? old.spec : {};
  if (spec.type !== 'ExternalName' && before.type !== 'ExternalName') {
    const now = listAt(spec, 'clusterIPs');
    const was = listAt(before, 'clusterIPs');
    if (was.length > 0 && now.length > 0 && now[0] !== was[0]) {
      problems.add(invalidValue('spec.clusterIPs[0]', now, 'may not change once set'));
    }
    if (was.length > 1 && now.length > 1 && now[1] !== was[1]) {
      problems.add(invalidValue('spec.clusterIPs[1]', now, 'may not change once set'));
    }
    const family = listAt(spec, 'ipFamilies');
    const oldFamily = listAt(before, 'ipFamilies');
    if (oldFamily.length > 0 && family.length > 0 && family[0] !== oldFamily[0]) {
      problems.add(invalidValue('spec.ipFamilies[0]', family, 'may not change once set'));
    }
  }
  const port = spec.healthCheckNodePort;
  if (before.healthCheckNodePort && port && !same(port, before.healthCheckNodePort)) {
    problems.add(forbiddenValue('spec.healthCheckNodePort', 'field is immutable'));
  }
  const loadBalancers = spec.type === 'LoadBalancer' && before.type === 'LoadBalancer';
  if (
    loadBalancers &&
    before.loadBalancerClass !== undefined &&
    !same(spec.loadBalancerClass, before.loadBalancerClass)
  ) {
    problems.add(invalidValue('spec.loadBalancerClass', spec.loadBalancerClass ?? null, 'may not change once set'));
  }
}

/** What the client is told although the Service is accepted. */
export function serviceWarnings(service: JsonObject): string[] {
  const spec = isJsonObject(service.spec) ? service.spec : {};
  const warnings: string[] = [];
  const headless = spec.clusterIP === 'None';
  if (listAt(spec, 'externalIPs').length > 0) {
    if (headless) warnings.push('spec.externalIPs is ignored when spec.clusterIP is "None"');
    else warnings.push('spec.externalIPs is deprecated');
  }
  if (headless && spec.loadBalancerIP) warnings.push('spec.loadBalancerIP is ignored when spec.clusterIP is "None"');
  if (headless && spec.sessionAffinity === 'ClientIP') {
    warnings.push('spec.SessionAffinity is ignored for headless services');
  }
  if (spec.type !== 'ExternalName' && spec.externalName) {
    warnings.push(`spec.externalName is ignored when spec.type is not "ExternalName"`);
  }
  if (spec.trafficDistribution === 'PreferClose') {
    warnings.push('spec.trafficDistribution: PreferClose is deprecated, use PreferSameZone instead');
  }
  return warnings;
}
