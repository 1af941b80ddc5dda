import { formatIp } from '@ballast/base';
import { addressesOf, nodePortsOf, type ServicePools } from '../allocation/service-pools.ts';
import type { ApiObject, JsonObject } from '../object/api-object.ts';
import { listAt, numberAt } from '../object/api-object.ts';
import { failure, invalid } from '../object/failures.ts';
import { invalidValue } from '../object/field-problems.ts';
import type { WriteContext } from '../operations/write-context.ts';
import type { Allocation } from '../resources/definition.ts';
import {
  hasClusterIp,
  hasHealthCheckPort,
  hasNodePorts,
  isHeadless,
  portsOf,
  specOf,
  typeOf,
} from './service-shape.ts';

const SERVICE = { group: '', kind: 'Service' };

/** What this write took so far; given back when anything fails. */
interface Taken {
  readonly addresses: string[];
  readonly ports: number[];
}

/** Gives the Service its cluster address and node ports. All or nothing: when one cannot be had, what was taken is given back. */
export function allocateFor(
  service: ApiObject,
  old: ApiObject | undefined,
  context: WriteContext,
): Allocation | undefined {
  const { pools } = context.kernel;
  const heldAddresses = new Set(old ? addressesOf(old) : []);
  const heldPorts = new Set(old ? nodePortsOf(old) : []);
  if (context.dryRun) {
    fillPlaceholders(service, pools);
    return undefined;
  }
  const taken: Taken = { addresses: [], ports: [] };
  const rollBack = () => {
    for (const address of taken.addresses) pools.releaseAddress(address);
    for (const port of taken.ports) pools.releasePort(port);
  };
  try {
    takeAddress(service, heldAddresses, pools, taken);
    takeNodePorts(service, heldPorts, pools, taken);
    takeHealthCheckPort(service, heldPorts, pools, taken);
  } catch (error) {
    rollBack();
    throw error;
  }
  return {
    rollBack,
    commit() {
      const addresses = new Set(addressesOf(service));
      const ports = new Set(nodePortsOf(service));
      for (const address of heldAddresses) if (!addresses.has(address)) pools.releaseAddress(address);
      for (const port of heldPorts) if (!ports.has(port)) pools.releasePort(port);
    },
  };
}

/** A deleted Service gives everything back. */
export function releaseAll(service: ApiObject, { kernel }: WriteContext): void {
  for (const address of addressesOf(service)) kernel.pools.releaseAddress(address);
  for (const port of nodePortsOf(service)) kernel.pools.releasePort(port);
}

function takeAddress(service: ApiObject, held: ReadonlySet<string>, pools: ServicePools, taken: Taken): void {
  const spec = specOf(service);
  if (!hasClusterIp(service) || isHeadless(service)) return;
  const [wanted] = addressesOf(service);
  if (wanted === undefined) {
    const address = pools.takeAnyAddress();
    if (address === undefined) {
      const why = `failed to allocate a serviceIP for Service ${JSON.stringify(service.metadata.name)}: range is full`;
      throw failure('InternalError', `Internal error occurred: ${why}`, { causes: [{ message: why }] });
    }
    taken.addresses.push(address);
    spec.clusterIP = address;
    spec.clusterIPs = [address];
    return;
  }
  spec.clusterIP = wanted;
  spec.clusterIPs = listAt(spec, 'clusterIPs').length > 0 ? listAt(spec, 'clusterIPs') : [wanted];
  if (held.has(wanted)) return;
  const refusal = pools.takeAddress(wanted);
  if (refusal !== undefined) {
    throw invalid(SERVICE, service.metadata.name, [
      invalidValue('spec.clusterIPs', [wanted], `failed to allocate IP ${wanted}: ${refusal}`),
    ]);
  }
  taken.addresses.push(wanted);
}

function takeNodePorts(service: ApiObject, held: ReadonlySet<number>, pools: ServicePools, taken: Taken): void {
  if (!hasNodePorts(service)) return;
  const ours = (port: number) => held.has(port) || taken.ports.includes(port);
  for (const [i, port] of portsOf(service).entries()) {
    const wanted = numberAt(port, 'nodePort');
    if (!wanted || ours(wanted)) continue;
    const refusal = pools.takePort(wanted);
    if (refusal !== undefined) {
      throw invalid(SERVICE, service.metadata.name, [invalidValue(`spec.ports[${i}].nodePort`, wanted, refusal)]);
    }
    taken.ports.push(wanted);
  }
  const automatic = typeOf(service) === 'NodePort' || specOf(service).allocateLoadBalancerNodePorts !== false;
  if (!automatic) return;
  for (const port of portsOf(service)) {
    if (port.nodePort) continue;
    port.nodePort = nodePortOfTwin(service, port) ?? takeAnyPort(pools, taken);
  }
}

/** TCP and UDP on one port number share one node port. */
function nodePortOfTwin(service: ApiObject, port: JsonObject): number | undefined {
  const twin = portsOf(service).find(
    (other) => other !== port && other.port === port.port && other.protocol !== port.protocol && other.nodePort,
  );
  const nodePort = twin && numberAt(twin, 'nodePort');
  const clash = portsOf(service).some((other) => other.nodePort === nodePort && other.protocol === port.protocol);
  return clash ? undefined : nodePort;
}

function takeAnyPort(pools: ServicePools, taken: Taken): number {
  const port = pools.takeAnyPort();
  if (port === undefined) {
    const why = 'failed to allocate a nodePort: range is full';
    throw failure('InternalError', `Internal error occurred: ${why}`, { causes: [{ message: why }] });
  }
  taken.ports.push(port);
  return port;
}

function takeHealthCheckPort(service: ApiObject, held: ReadonlySet<number>, pools: ServicePools, taken: Taken): void {
  const spec = specOf(service);
  if (!hasHealthCheckPort(service)) return;
  const wanted = numberAt(spec, 'healthCheckNodePort');
  if (!wanted) {
    spec.healthCheckNodePort = takeAnyPort(pools, taken);
    return;
  }
  if (held.has(wanted)) return;
  const refusal = pools.takePort(wanted);
  if (refusal !== undefined) {
    const why = `failed to allocate requested HealthCheck NodePort ${wanted}: ${refusal}`;
    throw failure('InternalError', `Internal error occurred: ${why}`, { causes: [{ message: why }] });
  }
  taken.ports.push(wanted);
}

/** A dry run shows the base address of the prefix and no node ports. */
function fillPlaceholders(service: ApiObject, pools: ServicePools): void {
  const spec = specOf(service);
  if (!hasClusterIp(service) || isHeadless(service) || addressesOf(service).length > 0) return;
  const address = formatIp(pools.cidr.ip);
  spec.clusterIP = address;
  spec.clusterIPs = [address];
}
