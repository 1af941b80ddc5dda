import { BallastError } from '@ballast/base';
import type { Container, EphemeralContainer, Pod, PodSecurityContext, SecurityContext } from '@ballast/kube';
import { NamespaceMode, SeccompProfileType } from '../cri/messages.ts';

/** The namespaces a pod shares with the node or among its containers. */
export function namespaceOptions(pod: Pod, targetId?: string) {
  const { spec } = pod;
  const pid = spec?.hostPID
    ? NamespaceMode.node
    : spec?.shareProcessNamespace
      ? NamespaceMode.pod
      : targetId
        ? NamespaceMode.target
        : NamespaceMode.container;
  return {
    network: spec?.hostNetwork ? NamespaceMode.node : NamespaceMode.pod,
    ipc: spec?.hostIPC ? NamespaceMode.node : NamespaceMode.pod,
    pid,
    ...(pid === NamespaceMode.target && targetId ? { targetId } : {}),
  };
}

function seccompProfile(profile: PodSecurityContext['seccompProfile'], seccompDir: string) {
  if (profile?.type === 'RuntimeDefault') return { profileType: SeccompProfileType.runtimeDefault };
  if (profile?.type === 'Localhost') {
    const localhostRef = `${seccompDir}/${profile.localhostProfile ?? ''}`;
    return { profileType: SeccompProfileType.localhost, localhostRef };
  }
  return { profileType: SeccompProfileType.unconfined };
}

/** Security of the sandbox: the pod's, as far as it concerns all containers. */
export function sandboxSecurityContext(pod: Pod, seccompDir: string) {
  const context = pod.spec?.securityContext;
  const privileged = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].some(
    (container) => container.securityContext?.privileged,
  );
  return {
    namespaceOptions: namespaceOptions(pod),
    privileged,
    ...(context?.runAsUser === undefined ? {} : { runAsUser: { value: context.runAsUser } }),
    ...(context?.runAsUser === undefined || context.runAsGroup === undefined
      ? {}
      : { runAsGroup: { value: context.runAsGroup } }),
    supplementalGroups: supplementalGroups(context),
    seccomp: seccompProfile(context?.seccompProfile, seccompDir),
  };
}

function supplementalGroups(context: PodSecurityContext | undefined): number[] {
  const groups = [...(context?.supplementalGroups ?? [])];
  if (context?.fsGroup !== undefined) groups.push(context.fsGroup);
  return groups;
}

/** Paths that are hidden from unprivileged containers, or read-only for them, as containerd's and docker's defaults have them. */
const MASKED_PATHS = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const READONLY_PATHS = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

export interface ImageUser {
  /** Undefined when the image names a user instead of a number. */
  readonly uid: number | undefined;
  readonly username: string;
}

/** Refuses what runAsNonRoot forbids; throws BallastError 'run-as-root'. */
export function verifyNonRoot(pod: Pod, container: Container | EphemeralContainer, image: ImageUser): void {
  const own: SecurityContext | undefined = container.securityContext;
  const ofPod = pod.spec?.securityContext;
  if (!(own?.runAsNonRoot ?? ofPod?.runAsNonRoot)) return;
  const uid = own?.runAsUser ?? ofPod?.runAsUser;
  if (uid !== undefined) {
    if (uid !== 0) return;
    throw new BallastError('run-as-root', "container's runAsUser breaks non-root policy");
  }
  if (image.uid === undefined && image.username !== '') {
    const text = `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root`;
    throw new BallastError('run-as-root', text);
  }
  if ((image.uid ?? 0) === 0) {
    throw new BallastError('run-as-root', 'container has runAsNonRoot and image will run as root');
  }
}

/** Security of a container: its own settings over those of the pod. */
export function containerSecurityContext(options: {
  readonly pod: Pod;
  readonly container: Container | EphemeralContainer;
  readonly seccompDir: string;
  readonly targetId?: string | undefined;
}) {
  const { pod, container } = options;
  const own = container.securityContext;
  const ofPod = pod.spec?.securityContext;
  const privileged = own?.privileged ?? false;
  const uid = own?.runAsUser ?? ofPod?.runAsUser;
  const gid = own?.runAsGroup ?? ofPod?.runAsGroup;
  const unmasked = privileged || own?.procMount === 'Unmasked';
  return {
    capabilities: { addCapabilities: own?.capabilities?.add ?? [], dropCapabilities: own?.capabilities?.drop ?? [] },
    privileged,
    namespaceOptions: namespaceOptions(pod, options.targetId),
    ...(uid === undefined ? {} : { runAsUser: { value: uid } }),
    // CRI takes a group only together with a user; root is what the image would be then anyway.
    ...(gid === undefined
      ? {}
      : { runAsGroup: { value: gid }, ...(uid === undefined ? { runAsUser: { value: 0 } } : {}) }),
    readonlyRootfs: own?.readOnlyRootFilesystem ?? false,
    supplementalGroups: supplementalGroups(ofPod),
    noNewPrivs: own?.allowPrivilegeEscalation === false && !privileged,
    maskedPaths: unmasked ? [] : MASKED_PATHS,
    readonlyPaths: unmasked ? [] : READONLY_PATHS,
    seccomp: privileged
      ? { profileType: SeccompProfileType.unconfined }
      : seccompProfile(own?.seccompProfile ?? ofPod?.seccompProfile, options.seccompDir),
  };
}
