import { type Container, type Pod, type PodSpec, parseMilliCpu, parseQuantity, type ResourceList } from '@ballast/kube';

/** Amounts by resource name: cpu in thousandths of a core, everything else in its unit (bytes, pieces). */
export type Amounts = ReadonlyMap<string, number>;

/** What a container without requests is taken to need when nodes are compared (never when they are ruled out). */
const DEFAULT_MILLI_CPU = 100;
const DEFAULT_MEMORY = 200 * 1024 * 1024;

export interface HostPort {
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

/** What a pod takes from a node. */
export interface Demand {
  readonly requests: Amounts;
  /** Requests with defaults for containers that have none: what spreading by load goes by. */
  readonly estimate: { readonly milliCpu: number; readonly memory: number };
  readonly hostPorts: readonly HostPort[];
}

export function amountsOf(list: ResourceList | undefined): Map<string, number> {
  const amounts = new Map<string, number>();
  for (const [name, value] of Object.entries(list ?? {})) {
    amounts.set(name, name === 'cpu' ? parseMilliCpu(value) : parseQuantity(value));
  }
  return amounts;
}

/**
 * Containers and sidecars (init containers that keep running) add up. Init containers run one after the other beside the sidecars
 * started before them, so of those stages only the largest counts. Overhead comes on top.
 */
export function demandOf(pod: Pod): Demand {
  const spec = pod.spec;
  const overhead = amountsOf(spec?.overhead);
  const requests = add(
    aggregate(spec, (container) => amountsOf(container.resources?.requests)),
    overhead,
  );
  const estimate = add(aggregate(spec, estimateOf), overhead);
  return {
    requests,
    estimate: { milliCpu: estimate.get('cpu') ?? 0, memory: estimate.get('memory') ?? 0 },
    hostPorts: hostPortsOf(spec),
  };
}

function estimateOf(container: Container): Map<string, number> {
  const amounts = amountsOf(container.resources?.requests);
  if (!amounts.has('cpu')) amounts.set('cpu', DEFAULT_MILLI_CPU);
  if (!amounts.has('memory')) amounts.set('memory', DEFAULT_MEMORY);
  return amounts;
}

function aggregate(spec: PodSpec | undefined, of: (container: Container) => Amounts): Map<string, number> {
  let sidecars = new Map<string, number>();
  let largestStage = new Map<string, number>();
  for (const container of spec?.initContainers ?? []) {
    if (container.restartPolicy === 'Always') sidecars = add(sidecars, of(container));
    else largestStage = largest(largestStage, add(sidecars, of(container)));
  }
  const running = (spec?.containers ?? []).reduce((sum, container) => add(sum, of(container)), sidecars);
  return largest(running, largestStage);
}

function add(a: Amounts, b: Amounts): Map<string, number> {
  const sum = new Map(a);
  for (const [name, value] of b) sum.set(name, (sum.get(name) ?? 0) + value);
  return sum;
}

function largest(a: Amounts, b: Amounts): Map<string, number> {
  const result = new Map(a);
  for (const [name, value] of b) result.set(name, Math.max(result.get(name) ?? 0, value));
  return result;
}

function hostPortsOf(spec: PodSpec | undefined): HostPort[] {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  return [...(spec?.containers ?? []), ...sidecars].flatMap(({ ports }) =>
    (ports ?? []).flatMap(({ hostPort, hostIP, protocol }) =>
      hostPort ? [{ ip: hostIP || '0.0.0.0', protocol: protocol ?? 'TCP', port: hostPort }] : [],
    ),
  );
}

/** Two claims on a host port collide when one of them is for all addresses, or both are for the same. */
export function portsCollide(a: HostPort, b: HostPort): boolean {
  const sameAddress = a.ip === b.ip || a.ip === '0.0.0.0' || b.ip === '0.0.0.0';
  return a.port === b.port && a.protocol === b.protocol && sameAddress;
}
