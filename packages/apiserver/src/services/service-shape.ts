import { isJsonObject, type JsonObject, listAt, textAt } from '../object/api-object.ts';

/** The spec of a Service, in the loose form that writes work on. */
export function specOf(service: JsonObject): JsonObject {
  const spec = service.spec;
  if (isJsonObject(spec)) return spec;
  const made: JsonObject = {};
  service.spec = made;
  return made;
}

export function typeOf(service: unknown): string {
  return textAt(service, 'spec', 'type') ?? 'ClusterIP';
}

export function portsOf(service: unknown): JsonObject[] {
  return listAt(service, 'spec', 'ports').filter(isJsonObject);
}

/** Headless Services have 'None' for an address. */
export function isHeadless(service: unknown): boolean {
  return textAt(service, 'spec', 'clusterIP') === 'None' || listAt(service, 'spec', 'clusterIPs')[0] === 'None';
}

export function hasClusterIp(service: unknown): boolean {
  return typeOf(service) !== 'ExternalName';
}

export function hasNodePorts(service: unknown): boolean {
  const type = typeOf(service);
  return type === 'NodePort' || type === 'LoadBalancer';
}

export function hasHealthCheckPort(service: unknown): boolean {
  return typeOf(service) === 'LoadBalancer' && textAt(service, 'spec', 'externalTrafficPolicy') === 'Local';
}

/** True for Services that something outside of the cluster can reach. */
export function isExternal(service: unknown): boolean {
  return (
    hasNodePorts(service) || (typeOf(service) === 'ClusterIP' && listAt(service, 'spec', 'externalIPs').length > 0)
  );
}
