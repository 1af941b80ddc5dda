import { formatIp, type Ip, ipEquals, parseIp } from '@ballast/base';
import type { Service } from '@ballast/kube';
import type { Allocator } from './allocator.ts';
import { clusterIpsOf, parseServiceRequest, type ServiceRequest } from './service-request.ts';

/** An event on the Service, in MetalLB's words. */
export interface ServiceEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** What the status of a Service shall be. */
export interface ServiceDecision {
  readonly addresses: readonly Ip[];
  readonly pool: string | undefined;
  readonly events: readonly ServiceEvent[];
}

/** True for Services that this load balancer serves: with the class given, or without any when none is given. */
export function isOurs(service: Service, loadBalancerClass: string | undefined): boolean {
  return service.spec?.type === 'LoadBalancer' && service.spec.loadBalancerClass === loadBalancerClass;
}

/** The addresses in the status; undefined when it holds something that is none of ours, such as a hostname. */
export function statusAddresses(service: Service): Ip[] | undefined {
  const addresses: Ip[] = [];
  for (const { ip } of service.status?.loadBalancer?.ingress ?? []) {
    const parsed = ip === undefined ? undefined : parseIp(ip);
    if (!parsed) return undefined;
    addresses.push(parsed);
  }
  return addresses;
}

/**
 * Decides on the addresses of one Service, in MetalLB's order, and records them in the allocator.
 *
 * Departs from MetalLB where a Service asks for another pool or address: what it has is kept until what it wants can be had, so that a
 * typing error does not take a working Service down.
 */
export function decideService(service: Service, allocator: Allocator): ServiceDecision {
  const events: ServiceEvent[] = [];
  const say = (type: ServiceEvent['type'], reason: string, message: string) => events.push({ type, reason, message });
  const key = `${service.metadata.namespace ?? ''}/${service.metadata.name}`;
  const clear = (): ServiceDecision => {
    allocator.release(key);
    return { addresses: [], pool: undefined, events };
  };

  const clusterIps = clusterIpsOf(service);
  if (clusterIps.length === 0) return clear();
  if (service.spec?.ipFamilyPolicy === 'RequireDualStack' && clusterIps.length < 2) {
    say('Warning', 'not enough clusterips', 'dual-stack is required and the service has only one cluster IP');
    return clear();
  }
  const listed = statusAddresses(service) ?? [];
  // An empty status of a Service that holds addresses: the write was lost, or somebody cleared it.
  let held: readonly Ip[] = listed.length > 0 ? listed : (allocator.allocationOf(key)?.addresses ?? []);
  const request = parseServiceRequest(service);
  if ('problem' in request) {
    say('Warning', request.reason, request.problem);
    const pool = allocator.allocationOf(key)?.pool;
    return { addresses: held, pool, events };
  }

  if (held.length > 0 && !familiesFit(held, request)) {
    allocator.release(key);
    held = [];
  }
  if (held.length > 0) {
    const kept = allocator.assign(request, held);
    if ('why' in kept) {
      say(
        'Normal',
        'ClearAssignment',
        `current IP not allowed by config, will attempt for new IP assignment: ${kept.why}`,
      );
      allocator.release(key);
      held = [];
    }
  }
  const current = allocator.allocationOf(key);
  const wantsOther =
    current !== undefined &&
    ((request.pool !== undefined && request.pool !== current.pool) ||
      (request.addresses.length > 0 && !sameAddresses(request.addresses, current.addresses)));

  if (!current || wantsOther) {
    const result = allocator.allocate(request);
    if ('allocation' in result) {
      say(
        'Normal',
        'IPAllocated',
        `Assigned IP [${result.allocation.addresses.map((ip) => `"${formatIp(ip)}"`).join(' ')}]`,
      );
      return { ...result.allocation, events };
    }
    const kept = current ? `; ${current.addresses.map(formatIp).join(', ')} is kept until then` : '';
    say('Warning', 'AllocationFailed', `Failed to allocate IP for "${key}": ${result.why}${kept}`);
    return current ? { ...current, events } : { addresses: [], pool: undefined, events };
  }

  if (request.addresses.length === 0 && current.addresses.length < request.families.length) {
    const completed = allocator.complete(request);
    if (completed && 'allocation' in completed) {
      say(
        'Normal',
        'IPAllocated',
        `Assigned IP [${completed.allocation.addresses.map((ip) => `"${formatIp(ip)}"`).join(' ')}]`,
      );
      return { ...completed.allocation, events };
    }
    if (completed) say('Normal', 'AdditionalAssignFailed', `Failed to assign a second address: ${completed.why}`);
  }
  return { ...current, events };
}

/** One address per family of the Service; a single one will do unless both are required. */
function familiesFit(held: readonly Ip[], request: ServiceRequest): boolean {
  const all = held.every((ip) => request.families.includes(ip.family));
  return all && (held.length === request.families.length || (held.length === 1 && request.acceptsOneFamily));
}

function sameAddresses(a: readonly Ip[], b: readonly Ip[]): boolean {
  return a.length === b.length && a.every((ip) => b.some((other) => ipEquals(ip, other)));
}
