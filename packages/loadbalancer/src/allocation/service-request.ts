import { type Ip, ipEquals, parseIp } from '@ballast/base';
import { keyOf, type Labels, type Service } from '@ballast/kube';

/** What a Service asks of the allocator. */
export interface ServiceRequest {
  readonly key: string;
  readonly namespace: string;
  readonly labels: Labels;
  /** IP versions of its cluster addresses, the preferred one first. */
  readonly families: readonly (4 | 6)[];
  /** Whether one address of two wanted families will do. */
  readonly acceptsOneFamily: boolean;
  /** Addresses asked for by name; empty when any will do. */
  readonly addresses: readonly Ip[];
  readonly pool: string | undefined;
  /** Empty when the address is not to be shared. */
  readonly sharingKey: string;
  /** Services share an address only if this is equal: then every packet for the address may go to the same nodes. */
  readonly backendKey: string;
  readonly ports: readonly string[];
}

export const ANNOTATION_PREFIXES = ['metallb.io/', 'metallb.universe.tf/'] as const;
export const POOL_ANNOTATION = 'metallb.io/ip-allocated-from-pool';

/** The value of one of MetalLB's annotations; the newer prefix wins, even when its value is empty. */
export function annotationOf(service: Service, name: string): string | undefined {
  const annotations = service.metadata.annotations ?? {};
  for (const prefix of ANNOTATION_PREFIXES) {
    const value = annotations[`${prefix}${name}`];
    if (value !== undefined) return value;
  }
  return undefined;
}

/** A stable text of what decides where packets of a shared address may go. */
function backendKeyOf({ spec }: Service): string {
  if (spec?.externalTrafficPolicy !== 'Local') return '';
  return Object.entries(spec.selector ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(',');
}

/** The cluster addresses of a Service; empty for a headless one. */
export function clusterIpsOf({ spec }: Service): Ip[] {
  const texts = (spec?.clusterIPs ?? []).length > 0 ? (spec?.clusterIPs ?? []) : [spec?.clusterIP ?? ''];
  return texts.map(parseIp).filter((ip) => ip !== undefined);
}

/** The request, or why it makes no sense. */
export function parseServiceRequest(
  service: Service,
): ServiceRequest | { readonly problem: string; readonly reason: string } {
  const { spec, metadata } = service;
  const families = clusterIpsOf(service).map((ip) => ip.family);
  const annotated = annotationOf(service, 'loadBalancerIPs');
  if (annotated && spec?.loadBalancerIP) {
    return {
      reason: 'LoadBalancerFailed',
      problem: 'service can not have both metallb.io/loadBalancerIPs and svc.Spec.LoadBalancerIP',
    };
  }
  const texts = (annotated || spec?.loadBalancerIP || '')
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '');
  const addresses: Ip[] = [];
  for (const text of texts) {
    const ip = parseIp(text);
    if (!ip) {
      const where = annotated ? 'metallb.io/loadBalancerIPs' : 'spec.loadBalancerIP';
      return { reason: 'LoadBalancerFailed', problem: `invalid ${where} ${JSON.stringify(text)}` };
    }
    if (addresses.some((other) => ipEquals(other, ip) || other.family === ip.family)) {
      return { reason: 'LoadBalancerFailed', problem: 'metallb.io/loadBalancerIPs takes one address per family' };
    }
    addresses.push(ip);
  }
  const acceptsOneFamily = spec?.ipFamilyPolicy !== 'RequireDualStack';
  const fits =
    addresses.length === 0 ||
    (addresses.every((ip) => families.includes(ip.family)) &&
      (addresses.length === families.length || acceptsOneFamily));
  if (!fits) {
    return {
      reason: 'nolbIPsIPFamily',
      problem: `requested loadBalancer IP(s) ${JSON.stringify(texts.join(','))} does not match the ipFamily of the service`,
    };
  }
  return {
    key: keyOf(service),
    namespace: metadata.namespace ?? '',
    labels: metadata.labels ?? {},
    families,
    acceptsOneFamily,
    addresses,
    pool: annotationOf(service, 'address-pool') || undefined,
    sharingKey: annotationOf(service, 'allow-shared-ip') ?? '',
    backendKey: backendKeyOf(service),
    ports: (spec?.ports ?? []).map((port) => `${(port.protocol ?? 'TCP').toLowerCase()}/${port.port}`),
  };
}
