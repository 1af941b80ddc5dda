import { type Container, type EphemeralContainer, type Pod, parseMilliCpu, parseQuantity } from '@ballast/kube';
import type { LinuxContainerResources } from '../cri/messages.ts';
import type { Encodable } from '../cri/protobuf.ts';
import { type QosClass, qosClassOf } from './quality-of-service.ts';

const MIN_SHARES = 2;
const MAX_SHARES = 262_144;
const QUOTA_PERIOD_US = 100_000;
const MIN_QUOTA_US = 1000;

/** cgroup v1 cpu.shares of an amount of CPU; the runtime translates it to cpu.weight on v2. */
export function cpuShares(milliCpu: number): number {
  return Math.min(MAX_SHARES, Math.max(MIN_SHARES, Math.floor((milliCpu * 1024) / 1000)));
}

/** cpu.cfs_quota_us for a limit; 0 means none. */
export function cpuQuota(milliCpu: number): number {
  return milliCpu === 0 ? 0 : Math.max(MIN_QUOTA_US, Math.floor((milliCpu * QUOTA_PERIOD_US) / 1000));
}

/**
 * How soon the kernel kills a container when memory runs out: Guaranteed pods last, BestEffort first, others the sooner the less they
 * requested of the node.
 */
export function oomScoreAdjust(qos: QosClass, memoryRequestBytes: number, nodeMemoryBytes: number): number {
  if (qos === 'Guaranteed') return -997;
  if (qos === 'BestEffort') return 1000;
  const score = 1000 - Math.floor((1000 * memoryRequestBytes) / Math.max(1, nodeMemoryBytes));
  return Math.min(999, Math.max(3, score));
}

/** CPU and memory of a container in one line of text, by which a change is noticed. */
export function resourcesText(container: Container | EphemeralContainer): string {
  const { limits, requests } = container.resources ?? {};
  return JSON.stringify([requests?.cpu, limits?.cpu, requests?.memory, limits?.memory].map((amount) => amount ?? null));
}

/** True when one of the resources that differ asks for a restart (`resizePolicy`). */
export function resizeNeedsRestart(container: Container | EphemeralContainer, before: string): boolean {
  const was = JSON.parse(before) as unknown[];
  const now = JSON.parse(resourcesText(container)) as unknown[];
  const differs = { cpu: was[0] !== now[0] || was[1] !== now[1], memory: was[2] !== now[2] || was[3] !== now[3] };
  return (container.resizePolicy ?? []).some(
    ({ resourceName, restartPolicy }) =>
      restartPolicy === 'RestartContainer' &&
      (resourceName === 'cpu' || resourceName === 'memory') &&
      differs[resourceName],
  );
}

/** Requests and limits of a container as CRI takes them. */
export function containerResources(options: {
  readonly pod: Pod;
  readonly container: Container | EphemeralContainer;
  readonly nodeMemoryBytes: number;
}): Encodable<typeof LinuxContainerResources> {
  const { limits, requests } = options.container.resources ?? {};
  const limitMilli = parseMilliCpu(limits?.cpu);
  const requestMilli = requests?.cpu === undefined ? limitMilli : parseMilliCpu(requests.cpu);
  const memoryLimit = Math.ceil(parseQuantity(limits?.memory));
  const memoryRequest = requests?.memory === undefined ? memoryLimit : Math.ceil(parseQuantity(requests.memory));
  return {
    cpuShares: cpuShares(requestMilli),
    cpuPeriod: QUOTA_PERIOD_US,
    cpuQuota: cpuQuota(limitMilli),
    memoryLimitInBytes: memoryLimit,
    oomScoreAdj: oomScoreAdjust(qosClassOf(options.pod), memoryRequest, options.nodeMemoryBytes),
  };
}
