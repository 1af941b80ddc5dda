import { canonicalIp } from '@ballast/base';
import type { EndpointSlice } from '@ballast/kube';
import type { Endpoint, Place } from './endpoint-selection.ts';

/** The label that ties a slice to its Service. */
export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/** 'namespace/name' of the Service that a slice belongs to. */
export function serviceKeyOf(slice: EndpointSlice): string | undefined {
  const name = slice.metadata.labels?.[SERVICE_NAME_LABEL];
  return name === undefined ? undefined : `${slice.metadata.namespace ?? ''}/${name}`;
}

/** Which port of which family is asked for. */
export interface PortSelector {
  readonly family: 4 | 6;
  readonly portName: string;
  readonly protocol: string;
}

/**
 * The endpoints of one Service port over all its slices. Ports without a number are skipped, only the first address of an entry counts
 * (further ones were never given a meaning), and of two entries for one address the one that is not terminating wins.
 */
export function endpointsOf(slices: Iterable<EndpointSlice>, selector: PortSelector, place: Place): Endpoint[] {
  const addressType = selector.family === 4 ? 'IPv4' : 'IPv6';
  const found = new Map<string, Endpoint>();
  for (const slice of slices) {
    if (slice.addressType !== addressType) continue;
    for (const port of slice.ports ?? []) {
      if (!port.port || (port.name ?? '') !== selector.portName) continue;
      if ((port.protocol ?? 'TCP') !== selector.protocol) continue;
      for (const entry of slice.endpoints ?? []) {
        const address = canonicalIp(entry.addresses?.[0] ?? '');
        if (address === undefined) continue;
        const { conditions, hints } = entry;
        const endpoint: Endpoint = {
          address,
          port: port.port,
          ready: conditions?.ready ?? true,
          serving: conditions?.serving ?? true,
          terminating: conditions?.terminating ?? false,
          local: entry.nodeName !== undefined && entry.nodeName === place.nodeName,
          lost: entry.nodeName !== undefined && place.lostNodes.has(entry.nodeName),
          nodeHints: hints?.forNodes?.map((hint) => hint.name),
          zoneHints: hints?.forZones?.map((hint) => hint.name),
        };
        const key = `${address} ${port.port}`;
        const known = found.get(key);
        if (!known || (known.terminating && !endpoint.terminating)) found.set(key, endpoint);
      }
    }
  }
  return [...found.values()];
}
