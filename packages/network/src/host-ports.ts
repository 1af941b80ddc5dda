import { isPodTerminal, type Pod } from '@ballast/kube';

/** A port of the node that leads to a port of a pod. `hostIp` is undefined for all addresses of the node. */
export interface HostPort {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly hostIp: string | undefined;
  readonly hostPort: number;
  readonly podIp: string;
  readonly containerPort: number;
}

const PROTOCOLS = { TCP: 'tcp', UDP: 'udp', SCTP: 'sctp' } as const;

/** The host ports of pods on this node, for the pods that have an address. Of two pods that want the same port, the older one has it. */
export function hostPortsOf(pods: Iterable<Pod>): HostPort[] {
  const found = new Map<string, HostPort>();
  const age = (pod: Pod) => pod.metadata.creationTimestamp ?? '';
  for (const pod of [...pods].toSorted((a, b) => age(a).localeCompare(age(b)))) {
    if (pod.spec?.hostNetwork || isPodTerminal(pod)) continue;
    const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
    for (const { hostPort, hostIP, protocol = 'TCP', containerPort } of containers.flatMap(
      ({ ports }) => ports ?? [],
    )) {
      if (!hostPort) continue;
      const hostIp = hostIP && hostIP !== '0.0.0.0' && hostIP !== '::' ? hostIP : undefined;
      for (const { ip: podIp } of pod.status?.podIPs ?? []) {
        if (hostIp !== undefined && hostIp.includes(':') !== podIp.includes(':')) continue;
        const key = [protocol, hostIp, hostPort, podIp.includes(':')].join(' ');
        const port = { protocol: PROTOCOLS[protocol], hostIp, hostPort, podIp, containerPort };
        if (!found.has(key)) found.set(key, port);
      }
    }
  }
  return [...found.values()];
}
