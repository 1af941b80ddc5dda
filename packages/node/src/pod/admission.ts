import { type Pod, parseMilliCpu, parseQuantity } from '@ballast/kube';
import { MAX_PODS } from '../registration/node-object.ts';
import type { PodFailure } from './pod-worker.ts';

interface Amounts {
  readonly milliCpu: number;
  readonly memoryBytes: number;
}

/** What a pod needs: the sum of its containers, or the largest init container if that is more. */
export function podRequests(pod: Pod): Amounts {
  const of = (name: 'cpu' | 'memory', parse: (text: string | number | undefined) => number) => {
    const amount = (container: { resources?: { requests?: Record<string, string | number> } }) =>
      parse(container.resources?.requests?.[name]);
    const all = pod.spec?.initContainers ?? [];
    const sidecars = all.filter(({ restartPolicy }) => restartPolicy === 'Always');
    const sum = [...(pod.spec?.containers ?? []), ...sidecars].reduce((total, one) => total + amount(one), 0);
    return Math.max(sum, ...all.map(amount));
  };
  return { milliCpu: of('cpu', parseMilliCpu), memoryBytes: of('memory', parseQuantity) };
}

const hostPorts = (pod: Pod) =>
  (pod.spec?.containers ?? []).flatMap(({ ports }) =>
    (ports ?? []).flatMap(({ hostPort, protocol = 'TCP', hostIP = '' }) =>
      hostPort ? [{ hostPort, protocol, hostIP: hostIP === '0.0.0.0' ? '' : hostIP }] : [],
    ),
  );

/** Why a pod cannot run on this node beside the others, or undefined. The scheduler should have seen to it; pods can evade the scheduler. */
export function refusalOf(pod: Pod, others: Iterable<Pod>, allocatable: Amounts): PodFailure | undefined {
  const refuse = (reason: string, message: string) => ({ reason, message: `Pod was rejected: ${message}` });
  let count = 0;
  let [milliCpu, memoryBytes] = [0, 0];
  const wanted = hostPorts(pod);
  for (const other of others) {
    count += 1;
    const requests = podRequests(other);
    milliCpu += requests.milliCpu;
    memoryBytes += requests.memoryBytes;
    for (const taken of hostPorts(other)) {
      const clash = wanted.some(
        (port) =>
          port.hostPort === taken.hostPort &&
          port.protocol === taken.protocol &&
          (port.hostIP === taken.hostIP || port.hostIP === '' || taken.hostIP === ''),
      );
      if (clash)
        return refuse(
          'NodePorts',
          "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
        );
    }
  }
  const short = (name: string, requested: number, used: number, capacity: number) =>
    refuse(
      `OutOf${name}`,
      `Node didn't have enough resource: ${name}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
    );
  if (count >= MAX_PODS) return short('pods', 1, count, MAX_PODS);
  const own = podRequests(pod);
  if (own.milliCpu > 0 && milliCpu + own.milliCpu > allocatable.milliCpu) {
    return short('cpu', own.milliCpu, milliCpu, allocatable.milliCpu);
  }
  if (own.memoryBytes > 0 && memoryBytes + own.memoryBytes > allocatable.memoryBytes) {
    return short('memory', own.memoryBytes, memoryBytes, allocatable.memoryBytes);
  }
  return undefined;
}
