import type { Container, Pod } from '@ballast/kube';
import { type ContainerConfig, MountPropagation, type PodSandboxConfig, PortProtocol } from '../cri/messages.ts';
import type { Encodable } from '../cri/protobuf.ts';
import { containerResources, resourcesText } from './cgroup-resources.ts';
import type { PodContainer } from './containers-of-pod.ts';
import { expandVariables } from './expand.ts';
import { fullHostname, hostnameOf } from './hosts-file.ts';
import { qosClassOf } from './quality-of-service.ts';
import type { ResolverConfig } from './resolver-config.ts';
import {
  ANNOTATION_GRACE_PERIOD,
  ANNOTATION_IMAGE,
  ANNOTATION_RESOURCES,
  ANNOTATION_RESTART_COUNT,
  LABEL_CONTAINER_NAME,
  LABEL_POD_NAME,
  LABEL_POD_NAMESPACE,
  LABEL_POD_UID,
} from './runtime-labels.ts';
import { containerSecurityContext, sandboxSecurityContext } from './security.ts';

export type SandboxConfig = Encodable<typeof PodSandboxConfig>;

/** Folder of a pod's logs below the log folder of the node. */
export function podLogFolder(pod: Pod): string {
  const { namespace, name, uid } = pod.metadata;
  return `${namespace}_${name}_${uid}`;
}

/** Log file of one run of a container, relative to the folder of its pod. */
export function containerLogPath(name: string, attempt: number): string {
  return `${name}/${attempt}.log`;
}

/** The cgroup of a pod, sorted by quality of service as upstream does it. */
export function podCgroup(root: string, pod: Pod): string {
  const qos = qosClassOf(pod);
  const parent = qos === 'Guaranteed' ? root : `${root}/${qos.toLowerCase()}`;
  return `${parent}/pod${pod.metadata.uid}`;
}

function runtimeLabels(pod: Pod): Record<string, string> {
  const { name, namespace = '', uid = '' } = pod.metadata;
  return { [LABEL_POD_NAME]: name, [LABEL_POD_NAMESPACE]: namespace, [LABEL_POD_UID]: uid };
}

/** What the runtime is told about a sandbox. */
export function sandboxConfig(options: {
  readonly pod: Pod;
  readonly attempt: number;
  readonly logDir: string;
  readonly cgroupRoot: string;
  readonly resolver: ResolverConfig;
  readonly clusterDomain: string;
  readonly seccompDir: string;
}): SandboxConfig {
  const { pod, resolver } = options;
  const { spec, metadata } = pod;
  const fullName = spec?.setHostnameAsFQDN ? fullHostname(pod, options.clusterDomain) : undefined;
  const hostPorts = spec?.hostNetwork ? [] : (spec?.containers ?? []).flatMap((container) => container.ports ?? []);
  return {
    metadata: {
      name: metadata.name,
      namespace: metadata.namespace ?? '',
      uid: metadata.uid ?? '',
      attempt: options.attempt,
    },
    hostname: spec?.hostNetwork ? '' : (fullName ?? hostnameOf(pod)),
    logDirectory: `${options.logDir}/${podLogFolder(pod)}`,
    dnsConfig: { servers: resolver.servers, searches: resolver.searches, options: resolver.options },
    portMappings: hostPorts
      .filter((port) => port.hostPort)
      .map((port) => ({
        protocol: PortProtocol[port.protocol ?? 'TCP'],
        containerPort: port.containerPort,
        hostPort: port.hostPort ?? 0,
        hostIp: port.hostIP ?? '',
      })),
    labels: { ...metadata.labels, ...runtimeLabels(pod) },
    annotations: {
      ...metadata.annotations,
      [ANNOTATION_GRACE_PERIOD]: String(spec?.terminationGracePeriodSeconds ?? 30),
    },
    linux: {
      cgroupParent: podCgroup(options.cgroupRoot, pod),
      securityContext: sandboxSecurityContext(pod, options.seccompDir),
      sysctls: Object.fromEntries(
        (spec?.securityContext?.sysctls ?? []).map(({ name, value }) => [name.replaceAll('/', '.'), value]),
      ),
    },
  };
}

export interface HostMount {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly readonly?: boolean;
  readonly propagation?: number;
}

export function mountPropagation(mode: string | undefined): number {
  if (mode === 'HostToContainer') return MountPropagation.hostToContainer;
  return mode === 'Bidirectional' ? MountPropagation.bidirectional : MountPropagation.private;
}

/** What the runtime is told about one run of a container. */
export function containerConfig(options: {
  readonly pod: Pod;
  readonly container: PodContainer;
  readonly attempt: number;
  readonly imageRef: string;
  readonly environment: ReadonlyMap<string, string>;
  readonly mounts: readonly HostMount[];
  readonly nodeMemoryBytes: number;
  readonly seccompDir: string;
  /** The run whose process namespace an ephemeral container shares. */
  readonly targetId?: string | undefined;
}): Encodable<typeof ContainerConfig> {
  const { pod, container, environment } = options;
  const spec: Container = container.spec;
  const expand = (text: string) => expandVariables(text, (name) => environment.get(name));
  return {
    metadata: { name: spec.name, attempt: options.attempt },
    image: { image: options.imageRef, userSpecifiedImage: spec.image ?? '' },
    command: (spec.command ?? []).map(expand),
    args: (spec.args ?? []).map(expand),
    workingDir: spec.workingDir ?? '',
    envs: [...environment].map(([key, value]) => ({ key, value })),
    mounts: options.mounts,
    labels: { ...runtimeLabels(pod), [LABEL_CONTAINER_NAME]: spec.name },
    annotations: {
      [ANNOTATION_IMAGE]: spec.image ?? '',
      [ANNOTATION_RESOURCES]: resourcesText(spec),
      [ANNOTATION_RESTART_COUNT]: String(options.attempt),
    },
    logPath: containerLogPath(spec.name, options.attempt),
    stdin: spec.stdin ?? false,
    stdinOnce: spec.stdinOnce ?? false,
    tty: spec.tty ?? false,
    linux: {
      resources: containerResources({ pod, container: spec, nodeMemoryBytes: options.nodeMemoryBytes }),
      securityContext: containerSecurityContext({
        pod,
        container: spec,
        seccompDir: options.seccompDir,
        targetId: options.targetId,
      }),
    },
  };
}
