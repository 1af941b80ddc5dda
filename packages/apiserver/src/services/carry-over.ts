import { type JsonObject, jsonEquals, listAt, objectAt } from '../object/api-object.ts';
import {
  hasClusterIp,
  hasHealthCheckPort,
  hasNodePorts,
  isExternal,
  portsOf,
  specOf,
  typeOf,
} from './service-shape.ts';

/** An update that leaves out what was allocated keeps it: a client may replace a Service without having read it. */
export function keepAllocated(service: JsonObject, old: JsonObject): void {
  const spec = specOf(service);
  const before = specOf(old);
  if (hasClusterIp(service) && hasClusterIp(old)) {
    if (!spec.clusterIP && listAt(spec, 'clusterIPs').length === 0) spec.clusterIP = before.clusterIP;
    if (listAt(spec, 'clusterIPs').length === 0 && spec.clusterIP === before.clusterIP)
      spec.clusterIPs = before.clusterIPs;
    spec.ipFamilyPolicy ??= before.ipFamilyPolicy;
    if (listAt(spec, 'ipFamilies').length === 0) spec.ipFamilies = before.ipFamilies;
  }
  if (hasNodePorts(service) && hasNodePorts(old)) {
    const held = new Map(portsOf(old).map((port) => [`${port.protocol}/${port.port}`, port.nodePort]));
    const asked = new Set(portsOf(service).map((port) => port.nodePort));
    for (const port of portsOf(service)) {
      const previous = held.get(`${port.protocol}/${port.port}`);
      if (!port.nodePort && previous && !asked.has(previous)) port.nodePort = previous;
    }
  }
  if (hasHealthCheckPort(service) && hasHealthCheckPort(old) && !spec.healthCheckNodePort) {
    spec.healthCheckNodePort = before.healthCheckNodePort;
  }
}

/**
 * When the type changed and the user left a field of the old type as it was, the field goes. A field that the user changed in the same
 * request stays, and validation refuses it.
 */
export function dropFieldsOfOldType(service: JsonObject, old: JsonObject): void {
  const spec = specOf(service);
  const before = specOf(old);
  const drop = (name: string) => {
    if (jsonEquals(spec[name], before[name])) delete spec[name];
  };
  if (hasClusterIp(old) && !hasClusterIp(service)) {
    if (jsonEquals(spec.clusterIPs, before.clusterIPs)) for (const name of ['clusterIP', 'clusterIPs']) drop(name);
    for (const name of ['ipFamilies', 'ipFamilyPolicy', 'internalTrafficPolicy']) drop(name);
  }
  if (hasNodePorts(old) && !hasNodePorts(service)) {
    const held = new Set(portsOf(old).map((port) => port.nodePort));
    for (const port of portsOf(service)) if (held.has(port.nodePort)) delete port.nodePort;
  }
  if (hasHealthCheckPort(old) && !hasHealthCheckPort(service)) drop('healthCheckNodePort');
  if (typeOf(old) === 'LoadBalancer' && typeOf(service) !== 'LoadBalancer') {
    drop('allocateLoadBalancerNodePorts');
    drop('loadBalancerClass');
    if (objectAt(service, 'status')) service.status = { loadBalancer: {} };
  }
  if (isExternal(old) && !isExternal(service)) drop('externalTrafficPolicy');
}
