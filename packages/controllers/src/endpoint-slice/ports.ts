import type { Container, EndpointPort, Pod, Service, ServicePort } from '@ballast/kube';

/**
 * The number that a Service port leads to on a pod. A named target port is looked up in the containers (and in init containers that
 * keep running); undefined when the pod has no such port.
 */
export function targetPortOf(port: ServicePort, pod: Pod): number | undefined {
  const target = port.targetPort;
  if (typeof target === 'number') return target === 0 ? port.port : target;
  if (target === undefined || target === '') return port.port;
  if (/^\d+$/.test(target)) return Number(target);
  const protocol = port.protocol ?? 'TCP';
  const sidecars = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always');
  const containers: readonly Container[] = [...(pod.spec?.containers ?? []), ...sidecars];
  for (const container of containers) {
    for (const candidate of container.ports ?? []) {
      if (candidate.name === target && (candidate.protocol ?? 'TCP') === protocol) return candidate.containerPort;
    }
  }
  return undefined;
}

/** The ports of a Service with their numbers on one endpoint; ports that the endpoint lacks are left out. */
export function endpointPorts(service: Service, resolve: (port: ServicePort) => number | undefined): EndpointPort[] {
  return (service.spec?.ports ?? []).flatMap((port) => {
    const number = resolve(port);
    if (number === undefined) return [];
    return [
      {
        name: port.name ?? '',
        port: number,
        protocol: port.protocol ?? 'TCP',
        ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }),
      },
    ];
  });
}
