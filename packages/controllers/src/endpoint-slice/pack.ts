import type { Endpoint, EndpointPort, EndpointSlice } from '@ballast/kube';
import { same } from '../same.ts';
import { type AddressType, type EndpointGroup, groupKey } from './desired.ts';

/** Endpoints per slice (upstream's --max-endpoints-per-slice). */
export const MAX_ENDPOINTS = 100;

/** What a slice should hold; `slice` is the one that is there already. */
export interface PackedSlice {
  readonly slice: EndpointSlice | undefined;
  readonly addressType: AddressType;
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
  readonly changed: boolean;
}

export interface Packing {
  readonly slices: readonly PackedSlice[];
  readonly remove: readonly EndpointSlice[];
}

/**
 * Puts endpoints into slices with as few writes as possible rather than as few slices: an endpoint stays where it is, slices that
 * change anyway take up the new ones, then a slice that has room for all the rest, then new slices. Emptied slices go.
 */
export function pack(
  groups: readonly EndpointGroup[],
  existing: readonly EndpointSlice[],
  options: { readonly placeholders: readonly AddressType[]; readonly max?: number },
): Packing {
  const max = options.max ?? MAX_ENDPOINTS;
  const slicesOf = new Map<string, EndpointSlice[]>();
  for (const slice of existing) {
    const key = groupKey(slice.addressType, slice.ports);
    const list = slicesOf.get(key);
    if (list) list.push(slice);
    else slicesOf.set(key, [slice]);
  }
  const slices: PackedSlice[] = [];
  const remove: EndpointSlice[] = [];
  for (const group of groups) {
    const key = groupKey(group.addressType, group.ports);
    const packed = packGroup(group, slicesOf.get(key) ?? [], max);
    slicesOf.delete(key);
    slices.push(...packed.slices);
    remove.push(...packed.remove);
  }
  const left = [...slicesOf.values()].flat();
  // A Service without endpoints still has one slice per address type: it shows that somebody has looked.
  for (const addressType of options.placeholders) {
    if (slices.some((slice) => slice.addressType === addressType)) continue;
    const kept = left.find(
      (slice) => slice.addressType === addressType && groupKey(addressType, slice.ports) === groupKey(addressType, []),
    );
    if (kept) left.splice(left.indexOf(kept), 1);
    const changed = kept === undefined || (kept.endpoints ?? []).length > 0;
    slices.push({ slice: kept, addressType, ports: [], endpoints: [], changed });
  }
  return reuse(slices, [...remove, ...left]);
}

/** A slice that would be deleted while another is created becomes that other one: one write instead of two, and no moment between them. */
function reuse(slices: readonly PackedSlice[], remove: readonly EndpointSlice[]): Packing {
  const spare = [...remove];
  const result = slices.map((packed) => {
    if (packed.slice) return packed;
    const index = spare.findIndex(({ addressType }) => addressType === packed.addressType);
    const [slice] = index < 0 ? [] : spare.splice(index, 1);
    return slice ? { ...packed, slice, changed: true } : packed;
  });
  return { slices: result, remove: spare };
}

function packGroup(group: EndpointGroup, existing: readonly EndpointSlice[], max: number): Packing {
  const { addressType, ports } = group;
  const pending = new Map(group.endpoints.map((endpoint) => [identity(endpoint), endpoint]));
  const drafts = existing.map((slice) => {
    const endpoints: Endpoint[] = [];
    let changed = false;
    for (const endpoint of slice.endpoints ?? []) {
      const key = identity(endpoint);
      const wanted = pending.get(key);
      pending.delete(key);
      if (wanted && endpoints.length < max) endpoints.push(wanted);
      else if (wanted) pending.set(key, wanted);
      changed ||= !wanted || !sameEndpoint(wanted, endpoint);
    }
    return { slice: slice as EndpointSlice | undefined, endpoints, changed };
  });
  const rest = [...pending.values()];
  const kept = drafts.filter(({ endpoints }) => endpoints.length > 0);
  // Fullest first, so that slices fill up instead of all being half empty.
  for (const draft of kept.filter(({ changed }) => changed).sort((a, b) => b.endpoints.length - a.endpoints.length)) {
    draft.endpoints.push(...rest.splice(0, max - draft.endpoints.length));
  }
  while (rest.length > 0) {
    const size = rest.length % max === 0 ? max : rest.length % max;
    const room = kept
      .filter(({ endpoints, changed }) => !changed && endpoints.length + size <= max)
      .sort((a, b) => b.endpoints.length - a.endpoints.length)[0];
    const draft = room ?? emptied(drafts) ?? { slice: undefined, endpoints: [], changed: true };
    draft.changed = true;
    draft.endpoints.push(...rest.splice(0, size));
    if (!room) kept.push(draft);
  }
  const remove = drafts.flatMap(({ slice, endpoints }) => (slice && endpoints.length === 0 ? [slice] : []));
  return { slices: kept.map((draft) => ({ ...draft, addressType, ports })), remove };
}

/** A slice that lost all its endpoints is used again rather than deleted and replaced. */
function emptied<D extends { endpoints: Endpoint[] }>(drafts: readonly D[]): D | undefined {
  return drafts.find(({ endpoints }) => endpoints.length === 0);
}

/** Field by field, since it runs for every endpoint of a Service at each change; the rare parts are compared at length. */
function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return (
    a.conditions?.ready === b.conditions?.ready &&
    a.conditions?.serving === b.conditions?.serving &&
    a.conditions?.terminating === b.conditions?.terminating &&
    a.nodeName === b.nodeName &&
    a.zone === b.zone &&
    a.hostname === b.hostname &&
    a.targetRef?.name === b.targetRef?.name &&
    (a.hints === b.hints || same(a.hints, b.hints))
  );
}

/** The same pod (or node, or plain address) keeps its place. */
function identity(endpoint: Endpoint): string {
  return `${endpoint.targetRef?.uid ?? ''} ${endpoint.addresses.join(',')}`;
}
