import type { Container, EphemeralContainer, Pod } from '@ballast/kube';

/** `init` runs to its end before the next starts; `sidecar` is an init container that goes on running; `ephemeral` was added to debug. */
export type ContainerRole = 'init' | 'sidecar' | 'main' | 'ephemeral';

export interface PodContainer {
  readonly role: ContainerRole;
  readonly spec: Container | EphemeralContainer;
}

const roleOfInit = (spec: Container): ContainerRole => (spec.restartPolicy === 'Always' ? 'sidecar' : 'init');

/** All containers of a pod: init containers in order, then main ones, then ephemeral ones. Names are unique over all of them. */
export function containersOfPod(pod: Pod): PodContainer[] {
  return [
    ...(pod.spec?.initContainers ?? []).map((spec) => ({ spec, role: roleOfInit(spec) })),
    ...(pod.spec?.containers ?? []).map((spec) => ({ spec, role: 'main' as const })),
    ...(pod.spec?.ephemeralContainers ?? []).map((spec) => ({ spec, role: 'ephemeral' as const })),
  ];
}

export function findContainer(pod: Pod, name: string): PodContainer | undefined {
  return containersOfPod(pod).find((container) => container.spec.name === name);
}

/** The field path that events about a container carry. */
export function containerFieldPath(container: PodContainer): string {
  const list = {
    init: 'initContainers',
    sidecar: 'initContainers',
    main: 'containers',
    ephemeral: 'ephemeralContainers',
  };
  return `spec.${list[container.role]}{${container.spec.name}}`;
}
