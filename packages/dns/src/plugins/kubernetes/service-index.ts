import { canonicalIp } from '@ballast/base';
import type { EndpointSlice, Pod, Service } from '@ballast/kube';

/** What DNS needs to know of a port. Names and protocols are in lower case. */
export interface PortEntry {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
}

export interface ServiceEntry {
  readonly namespace: string;
  readonly name: string;
  readonly clusterIps: readonly string[];
  readonly isHeadless: boolean;
  /** Set for type ExternalName only. */
  readonly externalName: string | undefined;
  readonly ports: readonly PortEntry[];
}

export interface EndpointEntry {
  readonly address: string;
  /** Label before the Service's name: host name, pod name or dashed address. */
  readonly label: string;
  readonly ports: readonly PortEntry[];
}

interface SliceEntry {
  /** 'namespace/service'. */
  readonly service: string;
  readonly endpoints: readonly EndpointEntry[];
}

/** What a change touched, so that kept answers can be dropped. */
export type IndexChange =
  | {
      readonly kind: 'service';
      readonly namespace: string;
      readonly name: string;
      readonly addresses: readonly string[];
    }
  | { readonly kind: 'namespace'; readonly name: string };

const MAX_LABEL = 63;

/**
 * The Services of a cluster as DNS sees them: flat maps from names and addresses, cut down to what answers need. Fed by informers, one
 * object at a time; changes that DNS cannot show change nothing here.
 */
export class ServiceIndex {
  readonly #services = new Map<string, ServiceEntry>();
  readonly #slices = new Map<string, SliceEntry>();
  readonly #slicesOfService = new Map<string, Set<string>>();
  readonly #servicesByIp = new Map<string, Set<string>>();
  readonly #slicesByIp = new Map<string, Set<string>>();
  readonly #namespaces = new Set<string>();
  readonly #podsByIp = new Map<string, Map<string, string>>();
  readonly #useEndpointPodNames: boolean;
  readonly #changed: (change: IndexChange) => void;

  constructor(options: { endpointPodNames?: boolean; onChange?: (change: IndexChange) => void } = {}) {
    this.#useEndpointPodNames = options.endpointPodNames ?? false;
    this.#changed = options.onChange ?? (() => {});
  }

  service(namespace: string, name: string): ServiceEntry | undefined {
    return this.#services.get(`${namespace}/${name}`);
  }

  /** Ready endpoints of a Service, over all its slices. */
  endpoints(namespace: string, name: string): EndpointEntry[] {
    const slices = this.#slicesOfService.get(`${namespace}/${name}`) ?? [];
    return Array.from(slices).flatMap((key) => this.#slices.get(key)?.endpoints ?? []);
  }

  hasNamespace(name: string): boolean {
    return this.#namespaces.has(name);
  }

  /** The Services with this cluster address; at most one, but for a moment while one replaces another. */
  servicesAt(address: string): ServiceEntry[] {
    const keys = this.#servicesByIp.get(address) ?? [];
    return Array.from(keys).flatMap((key) => this.#services.get(key) ?? []);
  }

  /** Endpoints with this address, with the Service they belong to. */
  endpointsAt(
    address: string,
  ): { readonly namespace: string; readonly name: string; readonly endpoint: EndpointEntry }[] {
    const keys = this.#slicesByIp.get(address) ?? [];
    return Array.from(keys).flatMap((key) => {
      const slice = this.#slices.get(key);
      if (!slice) return [];
      const [namespace = '', name = ''] = slice.service.split('/');
      return slice.endpoints
        .filter((endpoint) => endpoint.address === address)
        .map((endpoint) => ({ namespace, name, endpoint }));
    });
  }

  /** Whether a live pod of the namespace has this primary address. */
  hasPodAt(namespace: string, address: string): boolean {
    return [...(this.#podsByIp.get(address)?.values() ?? [])].includes(namespace);
  }

  putService(service: Service): void {
    const entry = serviceEntry(service);
    const key = `${entry.namespace}/${entry.name}`;
    const before = this.#services.get(key);
    if (before && same(before, entry)) return;
    if (before) for (const ip of before.clusterIps) unlink(this.#servicesByIp, ip, key);
    this.#services.set(key, entry);
    for (const ip of entry.clusterIps) link(this.#servicesByIp, ip, key);
    this.#announceService(key, [...entry.clusterIps, ...(before?.clusterIps ?? [])]);
  }

  removeService({ metadata }: Service): void {
    const key = `${metadata.namespace}/${metadata.name}`;
    const before = this.#services.get(key);
    if (!before) return;
    for (const ip of before.clusterIps) unlink(this.#servicesByIp, ip, key);
    this.#services.delete(key);
    this.#announceService(key, before.clusterIps);
  }

  putSlice(slice: EndpointSlice): void {
    const { namespace = '', name, labels } = slice.metadata;
    const service = labels?.['kubernetes.io/service-name'];
    const key = `${namespace}/${name}`;
    const before = this.#slices.get(key);
    const entry =
      service === undefined ? undefined : { service: `${namespace}/${service}`, endpoints: this.#endpoints(slice) };
    if (before && entry && same(before, entry)) return;
    this.#dropSlice(key);
    if (!entry) return;
    this.#slices.set(key, entry);
    link(this.#slicesOfService, entry.service, key);
    for (const { address } of entry.endpoints) link(this.#slicesByIp, address, key);
    const addresses = [...entry.endpoints, ...(before?.endpoints ?? [])].map(({ address }) => address);
    this.#announceService(entry.service, addresses);
  }

  removeSlice({ metadata }: EndpointSlice): void {
    const key = `${metadata.namespace}/${metadata.name}`;
    const before = this.#slices.get(key);
    if (!before) return;
    this.#dropSlice(key);
    this.#announceService(
      before.service,
      before.endpoints.map(({ address }) => address),
    );
  }

  putNamespace(name: string): void {
    if (this.#namespaces.has(name)) return;
    this.#namespaces.add(name);
    this.#changed({ kind: 'namespace', name });
  }

  removeNamespace(name: string): void {
    if (this.#namespaces.delete(name)) this.#changed({ kind: 'namespace', name });
  }

  /** A pod that has ended or is about to is not there. */
  putPod(pod: Pod): void {
    const { namespace = '', name, deletionTimestamp } = pod.metadata;
    const { phase, podIP } = pod.status ?? {};
    const address = podIP === undefined ? undefined : canonicalIp(podIP);
    const isGone = deletionTimestamp !== undefined || phase === 'Succeeded' || phase === 'Failed';
    this.removePod(pod, isGone ? undefined : address);
    if (isGone || address === undefined) return;
    const pods = this.#podsByIp.get(address) ?? new Map<string, string>();
    pods.set(`${namespace}/${name}`, namespace);
    this.#podsByIp.set(address, pods);
    this.#podAddresses.set(`${namespace}/${name}`, address);
  }

  removePod({ metadata }: Pod, keptAddress?: string): void {
    const key = `${metadata.namespace}/${metadata.name}`;
    const address = this.#podAddresses.get(key);
    if (address === undefined || address === keptAddress) return;
    this.#podAddresses.delete(key);
    const pods = this.#podsByIp.get(address);
    pods?.delete(key);
    if (pods?.size === 0) this.#podsByIp.delete(address);
  }
  readonly #podAddresses = new Map<string, string>();

  #announceService(key: string, addresses: readonly string[]): void {
    const [namespace = '', name = ''] = key.split('/');
    this.#changed({ kind: 'service', namespace, name, addresses });
  }

  #dropSlice(key: string): void {
    const before = this.#slices.get(key);
    if (!before) return;
    this.#slices.delete(key);
    unlink(this.#slicesOfService, before.service, key);
    for (const { address } of before.endpoints) unlink(this.#slicesByIp, address, key);
  }

  #endpoints(slice: EndpointSlice): EndpointEntry[] {
    if (slice.addressType === 'FQDN') return [];
    const ports: PortEntry[] = (slice.ports ?? []).flatMap(({ name, protocol, port }) =>
      port === undefined
        ? []
        : [{ name: (name ?? '').toLowerCase(), protocol: (protocol ?? 'TCP').toLowerCase(), port }],
    );
    return (slice.endpoints ?? []).flatMap(({ addresses, conditions, hostname, targetRef }) => {
      if (conditions?.ready === false) return [];
      const pod = targetRef?.kind === 'Pod' || targetRef?.kind === undefined ? targetRef?.name : undefined;
      return addresses.flatMap((text) => {
        const address = canonicalIp(text);
        if (address === undefined) return [];
        const podLabel = this.#useEndpointPodNames && pod !== undefined && pod.length <= MAX_LABEL ? pod : undefined;
        return [{ address, label: (hostname || podLabel || dashedAddress(address)).toLowerCase(), ports }];
      });
    });
  }
}

function serviceEntry({ metadata, spec }: Service): ServiceEntry {
  const isExternal = spec?.type === 'ExternalName';
  const listed = spec?.clusterIPs ?? (spec?.clusterIP ? [spec.clusterIP] : []);
  return {
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    clusterIps: isExternal ? [] : listed.flatMap((text) => canonicalIp(text) ?? []),
    isHeadless: !isExternal && spec?.clusterIP === 'None',
    externalName: isExternal ? spec?.externalName : undefined,
    ports: (spec?.ports ?? []).map(({ name, protocol, port }) => ({
      name: (name ?? '').toLowerCase(),
      protocol: (protocol ?? 'TCP').toLowerCase(),
      port,
    })),
  };
}

/** '10-0-0-1' or 'fd00--1': an address as one label. A label must not begin or end with a dash (RFC 1123). */
export function dashedAddress(address: string): string {
  return address.replace(/[.:]/g, '-').replace(/^-/, '0-').replace(/-$/, '-0');
}

/** The address that a dashed label stands for. */
export function addressOfDashed(label: string): string | undefined {
  return canonicalIp(label.replaceAll('-', '.')) ?? canonicalIp(label.replaceAll('-', ':'));
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function link(map: Map<string, Set<string>>, key: string, value: string): void {
  const values = map.get(key);
  if (values) values.add(value);
  else map.set(key, new Set([value]));
}

function unlink(map: Map<string, Set<string>>, key: string, value: string): void {
  const values = map.get(key);
  values?.delete(value);
  if (values?.size === 0) map.delete(key);
}
