import type { Endpoint, EndpointPort, EndpointSubset, Service } from '@ballast/kube';
import type { EndpointGroup } from '../endpoint-slice/desired.ts';
import { groupKey } from '../endpoint-slice/desired.ts';

/** Addresses that an Endpoints object holds at most; the rest is cut off, and an annotation says so. */
export const MAX_ADDRESSES = 1000;

type Address = NonNullable<EndpointSubset['addresses']>[number];

interface Subset {
  readonly ports: readonly EndpointPort[];
  readonly ready: Address[];
  readonly notReady: Address[];
}

/**
 * The v1 form of a Service's endpoints: subsets of addresses with the same ports, in a stable order. It knows one address family only,
 * and no terminating endpoints.
 */
export function endpointSubsets(
  service: Service,
  groups: readonly EndpointGroup[],
): { readonly subsets: EndpointSubset[]; readonly truncated: boolean } {
  const family = service.spec?.ipFamilies?.[0] ?? groups[0]?.addressType ?? 'IPv4';
  const subsets = new Map<string, Subset>();
  let count = 0;
  let truncated = false;
  for (const group of groups) {
    if (group.addressType !== family) continue;
    const key = groupKey(family, group.ports);
    const subset: Subset = subsets.get(key) ?? { ports: group.ports, ready: [], notReady: [] };
    for (const endpoint of readyFirst(group.endpoints)) {
      if (endpoint.conditions?.terminating && !service.spec?.publishNotReadyAddresses) continue;
      if (count >= MAX_ADDRESSES) {
        truncated = true;
        continue;
      }
      count++;
      (endpoint.conditions?.ready ? subset.ready : subset.notReady).push(addressOf(endpoint));
    }
    if (subset.ready.length + subset.notReady.length > 0) subsets.set(key, subset);
  }
  return { subsets: [...subsets.entries()].sort(byKey).map(([, subset]) => formatSubset(subset)), truncated };
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1);

function readyFirst(endpoints: readonly Endpoint[]): Endpoint[] {
  return [...endpoints].sort((a, b) => Number(b.conditions?.ready ?? false) - Number(a.conditions?.ready ?? false));
}

function addressOf({ addresses, hostname, nodeName, targetRef }: Endpoint): Address {
  return {
    ip: addresses[0] ?? '',
    ...(hostname === undefined ? {} : { hostname }),
    ...(nodeName === undefined ? {} : { nodeName }),
    ...(targetRef === undefined ? {} : { targetRef }),
  };
}

function formatSubset({ ports, ready, notReady }: Subset): EndpointSubset {
  const byIp = (a: Address, b: Address) => (a.ip < b.ip ? -1 : a.ip > b.ip ? 1 : 0);
  const named = ports.map(({ name, port, protocol, appProtocol }) => ({
    ...(name ? { name } : {}),
    port: port ?? 0,
    protocol: protocol ?? 'TCP',
    ...(appProtocol === undefined ? {} : { appProtocol }),
  }));
  return {
    ...(ready.length > 0 ? { addresses: ready.sort(byIp) } : {}),
    ...(notReady.length > 0 ? { notReadyAddresses: notReady.sort(byIp) } : {}),
    ...(named.length > 0 ? { ports: named } : {}),
  } as EndpointSubset;
}
