import type { Endpoint, Service } from '@ballast/kube';

/**
 * The hints that trafficDistribution asks for: a ready endpoint serves its own zone, and with PreferSameNode its own node first. What a
 * proxy makes of them: same node if every ready endpoint has such a hint, else same zone, else they are ignored.
 */
export function withHints(service: Service, endpoint: Endpoint): Endpoint {
  const distribution = service.spec?.trafficDistribution;
  // The common case costs nothing: the endpoint stays the same object.
  if (!distribution && !endpoint.hints) return endpoint;
  const { hints: _, ...bare } = endpoint;
  if (!endpoint.conditions?.ready) return bare;
  const sameNode = distribution === 'PreferSameNode';
  const sameZone = sameNode || distribution === 'PreferSameZone' || distribution === 'PreferClose';
  const hints = {
    ...(sameZone && endpoint.zone ? { forZones: [{ name: endpoint.zone }] } : {}),
    ...(sameNode && endpoint.nodeName ? { forNodes: [{ name: endpoint.nodeName }] } : {}),
  };
  return Object.keys(hints).length > 0 ? { ...bare, hints } : bare;
}
