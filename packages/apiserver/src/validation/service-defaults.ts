import { isJsonObject, type JsonObject, listAt, objectAt } from '../object/api-object.ts';

/** How long a client stays with its pod, where the Service does not say. */
const DEFAULT_AFFINITY_SECONDS = 10800;

/** The defaults of a Service that depend on its type. Addresses and node ports are allocation, not defaulting. */
export function defaultService(service: JsonObject): void {
  const spec = service.spec;
  if (!isJsonObject(spec)) return;
  const type = spec.type || 'ClusterIP';
  spec.type = type;
  spec.sessionAffinity ||= 'None';
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  else if (spec.sessionAffinity === 'ClientIP') {
    const config = isJsonObject(spec.sessionAffinityConfig) ? spec.sessionAffinityConfig : {};
    const clientIP = isJsonObject(config.clientIP) ? config.clientIP : {};
    clientIP.timeoutSeconds ??= DEFAULT_AFFINITY_SECONDS;
    spec.sessionAffinityConfig = { ...config, clientIP };
  }
  for (const port of listAt(spec, 'ports')) {
    if (!isJsonObject(port)) continue;
    if (!port.targetPort) port.targetPort = port.port;
    if (port.nodePort === 0) delete port.nodePort;
  }
  const external =
    type === 'NodePort' || type === 'LoadBalancer' || (type === 'ClusterIP' && listAt(spec, 'externalIPs').length > 0);
  if (external) spec.externalTrafficPolicy ||= 'Cluster';
  if (type !== 'ExternalName') spec.internalTrafficPolicy ||= 'Cluster';
  if (type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true;
  for (const ingress of listAt(objectAt(service, 'status', 'loadBalancer') ?? {}, 'ingress')) {
    if (isJsonObject(ingress) && ingress.ip) ingress.ipMode ??= 'VIP';
  }
}
