import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '@ballast/base';
import type { Pod, Secret } from '@ballast/kube';
import { ImageError } from '../image/ensure-image.ts';
import { resolveSubPath } from '../volume/sub-path.ts';
import { containerConfig, type HostMount, mountPropagation, type SandboxConfig } from './container-config.ts';
import { containerFieldPath } from './containers-of-pod.ts';
import { type ConfigLookup, containerEnvironment } from './environment.ts';
import { expandVariables } from './expand.ts';
import type { DownwardContext } from './field-reference.ts';
import { hostsFile } from './hosts-file.ts';
import { runHook } from './lifecycle-hook.ts';
import type { Action } from './plan.ts';
import type { PodContext } from './pod-context.ts';
import type { SandboxView } from './pod-view.ts';
import type { RunFacts } from './run-facts.ts';
import { verifyNonRoot } from './security.ts';
import { serviceEnvironment } from './service-environment.ts';

type StartAction = Extract<Action, { kind: 'start' }>;

export interface StartOptions {
  readonly context: PodContext;
  readonly pod: Pod;
  readonly sandbox: SandboxView;
  readonly sandboxConfig: SandboxConfig;
  readonly action: StartAction;
  /** Where the volumes are on the node. */
  readonly volumes: ReadonlyMap<string, string>;
  readonly config: ConfigLookup;
  readonly facts: RunFacts;
  /** The run whose process namespace an ephemeral container shares. */
  readonly targetId?: string | undefined;
}

/** How long a container waits whose start failed for a reason that only a change elsewhere can remove. */
const RETRY_MS = 10_000;

/** The addresses that a pod is known by. */
export function addressesFor(context: PodContext, pod: Pod, sandbox: SandboxView | undefined): readonly string[] {
  return pod.spec?.hostNetwork ? context.nodeIps : (sandbox?.ips ?? []);
}

export function downwardContext(context: PodContext, pod: Pod, sandbox: SandboxView | undefined): DownwardContext {
  const podIps = addressesFor(context, pod, sandbox);
  return { pod, podIps, nodeIps: context.nodeIps, allocatable: context.allocatable };
}

/** The file on the node behind the termination log of one run. */
export function terminationLog(context: PodContext, pod: Pod, name: string, attempt: number): string {
  return join(context.podsDir, pod.metadata.uid ?? '', 'containers', name, String(attempt));
}

/** Starts a container. A failure is not thrown but becomes the waiting reason of the container and a delay until the next try. */
export async function startContainer(options: StartOptions): Promise<void> {
  const { context, pod, action, facts } = options;
  const { container } = action;
  const { name } = container.spec;
  const fieldPath = containerFieldPath(container);
  const event = (type: 'Normal' | 'Warning', reason: string, message: string) =>
    context.recordEvent(pod, { type, reason, message, fieldPath });
  try {
    await createAndStart(options, event);
    facts.clearWaiting(name);
  } catch (error) {
    const reason = reasonOf(error);
    facts.setWaiting(name, reason, messageOf(error));
    const nowMs = context.clock.nowMs();
    const uid = pod.metadata.uid ?? '';
    const pullAgainMs =
      error instanceof ImageError ? context.images.retryAtMs(uid, container.spec.image ?? '') : undefined;
    facts.hold(name, pullAgainMs ?? nowMs + RETRY_MS);
    if (!(error instanceof ImageError)) event('Warning', 'Failed', `Error: ${messageOf(error)}`);
    context.logger.warn('container not started', { container: name, reason, error: messageOf(error) });
  }
}

class StageError extends Error {
  readonly reason: string;

  constructor(reason: string, cause: unknown) {
    super(messageOf(cause), { cause });
    this.reason = reason;
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof ImageError) return error.code;
  if (error instanceof StageError) return error.reason;
  return 'CreateContainerConfigError';
}

async function stage<T>(reason: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new StageError(reason, error);
  }
}

async function createAndStart(
  options: StartOptions,
  event: (type: 'Normal' | 'Warning', reason: string, message: string) => void,
): Promise<void> {
  const { context, pod, sandbox, sandboxConfig, action, facts } = options;
  const { container, attempt, last } = action;
  const { spec } = container;
  const uid = pod.metadata.uid ?? '';
  const namespace = pod.metadata.namespace ?? '';

  const secrets = (pod.spec?.imagePullSecrets ?? [])
    .map((reference) => context.objects.secrets.get(namespace, reference.name ?? ''))
    .filter((secret): secret is Secret => secret !== undefined);
  const image = await context.images.ensure({
    podUid: uid,
    image: spec.image ?? '',
    policy: spec.imagePullPolicy,
    secrets,
    sandboxConfig,
    event,
  });
  verifyNonRoot(pod, spec, image);

  const downward = downwardContext(context, pod, sandbox);
  const environment = containerEnvironment({
    container: spec,
    context: downward,
    config: options.config,
    services: serviceEnvironment({
      services: context.services.list(),
      namespace,
      enableServiceLinks: pod.spec?.enableServiceLinks ?? true,
    }),
  });
  const mounts = await containerMounts(options, environment);
  const config = containerConfig({
    pod,
    container,
    attempt,
    imageRef: image.ref,
    environment,
    mounts,
    nodeMemoryBytes: context.nodeMemoryBytes,
    seccompDir: context.seccompDir,
    targetId: options.targetId,
  });
  await mkdir(join(sandboxConfig.logDirectory ?? '', spec.name), { recursive: true, mode: 0o755 });
  const created = context.cri.createContainer({ podSandboxId: sandbox.id, config, sandboxConfig });
  const { containerId } = await stage('CreateContainerError', created);
  event('Normal', 'Created', `Created container: ${spec.name}`);
  if (spec.lifecycle?.postStart) facts.hookBegins(containerId);
  if (last) {
    facts.backoff.restarted(spec.name, last, context.clock.nowMs());
    context.metrics.containerRestarts.inc();
  }
  await stage('RunContainerError', context.cri.startContainer({ containerId }));
  event('Normal', 'Started', `Started container ${spec.name}`);
  if (!spec.lifecycle?.postStart) return;
  try {
    const podIp = downward.podIps[0] ?? '';
    await runHook({
      cri: context.cri,
      clock: context.clock,
      handler: spec.lifecycle.postStart,
      containerId,
      container: spec,
      podIp,
    });
  } catch (error) {
    event('Warning', 'FailedPostStartHook', `PostStartHook failed: ${messageOf(error)}`);
    await context.cri.stopContainer({ containerId, timeout: graceSecondsOf(pod) }, { timeoutMs: graceMs(pod) });
    throw new StageError('PostStartHookError', error);
  } finally {
    facts.hookEnds(containerId);
  }
}

export const graceSecondsOf = (pod: Pod): number =>
  pod.metadata.deletionGracePeriodSeconds ?? pod.spec?.terminationGracePeriodSeconds ?? 30;

/** Longest time a stop may take: the grace period, and what the runtime needs to kill. */
const graceMs = (pod: Pod): number => graceSecondsOf(pod) * 1000 + 120_000;

async function containerMounts(options: StartOptions, environment: ReadonlyMap<string, string>): Promise<HostMount[]> {
  const { context, pod, sandbox, action, volumes } = options;
  const { container, attempt } = action;
  const mounts: HostMount[] = [];
  for (const mount of container.spec.volumeMounts ?? []) {
    const place = volumes.get(mount.name);
    if (place === undefined) throw new Error(`volume "${mount.name}" of mount ${mount.mountPath} does not exist`);
    const subPath = subPathOf(mount, environment);
    const hostPath = subPath === '' ? place : await resolveSubPath(place, subPath);
    mounts.push({
      containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
      hostPath,
      readonly: mount.readOnly ?? false,
      propagation: mountPropagation(mount.mountPropagation),
    });
  }
  const mounted = new Set(mounts.map(({ containerPath }) => containerPath.replace(/\/+$/, '')));
  if (!mounted.has('/etc/hosts')) {
    mounts.push({ containerPath: '/etc/hosts', hostPath: await writeHostsFile(context, pod, sandbox) });
  }
  const log = terminationLog(context, pod, container.spec.name, attempt);
  await mkdir(join(log, '..'), { recursive: true, mode: 0o755 });
  await writeFile(log, '');
  await chmod(log, 0o666);
  mounts.push({ containerPath: container.spec.terminationMessagePath || '/dev/termination-log', hostPath: log });
  return mounts;
}

function subPathOf(
  mount: { subPath?: string; subPathExpr?: string },
  environment: ReadonlyMap<string, string>,
): string {
  if (mount.subPath) return mount.subPath;
  if (!mount.subPathExpr) return '';
  return expandVariables(mount.subPathExpr, (name) => environment.get(name));
}

async function writeHostsFile(context: PodContext, pod: Pod, sandbox: SandboxView): Promise<string> {
  const path = join(context.podsDir, pod.metadata.uid ?? '', 'etc-hosts');
  const podIps = addressesFor(context, pod, sandbox);
  const { clusterDomain, nodeHosts } = context;
  await mkdir(join(path, '..'), { recursive: true, mode: 0o755 });
  await writeFile(path, hostsFile({ pod, podIps, clusterDomain, nodeHosts }), { mode: 0o644 });
  return path;
}
