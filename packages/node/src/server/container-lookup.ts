import { join } from 'node:path';
import { containerLogPath, podLogFolder } from '../pod/container-config.ts';
import { findContainer } from '../pod/containers-of-pod.ts';
import type { ContainerView } from '../pod/pod-view.ts';
import type { PodSet } from '../pod-set.ts';
import type { RuntimeReader } from '../runtime-reader.ts';
import { HttpFailure } from './http-failure.ts';

export interface Lookup {
  readonly podSet: PodSet;
  readonly runtime: RuntimeReader;
  readonly logDir: string;
}

function podOf({ podSet }: Lookup, namespace: string, name: string) {
  const worker = podSet.get(namespace, name);
  if (!worker) throw new HttpFailure(404, `pod "${name}" not found in namespace "${namespace}"`);
  return worker;
}

/** The running run of a container, for exec and attach. */
export async function runningContainer(
  lookup: Lookup,
  at: { namespace: string; pod: string; container: string },
): Promise<ContainerView> {
  const worker = podOf(lookup, at.namespace, at.pod);
  const view = await lookup.runtime.podView(worker.uid);
  const run = view.containers.find((one) => one.name === at.container && one.state === 'running');
  if (run) return run;
  if (!findContainer(worker.pod, at.container)) {
    throw new HttpFailure(404, `container ${at.container} is not valid for pod ${at.pod}`);
  }
  throw new HttpFailure(500, `container not found ("${at.container}")`);
}

export async function readySandbox(lookup: Lookup, at: { namespace: string; pod: string }): Promise<string> {
  const worker = podOf(lookup, at.namespace, at.pod);
  const view = await lookup.runtime.podView(worker.uid);
  const [sandbox] = view.sandboxes;
  if (!sandbox?.ready) throw new HttpFailure(500, `pod ${at.pod} is not running`);
  return sandbox.id;
}

/** The log of the current run of a container, or of the one before. */
export async function containerLog(
  lookup: Lookup,
  at: { namespace: string; pod: string; container: string; previous: boolean },
): Promise<{ readonly path: string; readonly isRunning: () => Promise<boolean> }> {
  const worker = podOf(lookup, at.namespace, at.pod);
  const { uid } = worker;
  if (!findContainer(worker.pod, at.container)) {
    throw new HttpFailure(400, `container ${at.container} is not valid for pod ${at.pod}`);
  }
  const view = await lookup.runtime.podView(uid);
  const runs = view.containers.filter((run) => run.name === at.container && run.state !== 'created');
  const run = runs[at.previous ? 1 : 0];
  if (!run) {
    if (at.previous) {
      const message = `previous terminated container "${at.container}" in pod "${at.pod}" not found`;
      throw new HttpFailure(400, message);
    }
    const statuses = [
      ...(worker.pod.status?.containerStatuses ?? []),
      ...(worker.pod.status?.initContainerStatuses ?? []),
    ];
    const reason = statuses.find(({ name }) => name === at.container)?.state?.waiting?.reason ?? 'ContainerCreating';
    throw new HttpFailure(400, `container "${at.container}" in pod "${at.pod}" is waiting to start: ${reason}`);
  }
  const path = join(lookup.logDir, podLogFolder(worker.pod), containerLogPath(run.name, run.attempt));
  const isRunning = async () => {
    const now = await lookup.runtime.podView(uid);
    return now.containers.some((one) => one.id === run.id && one.state === 'running');
  };
  return { path, isRunning };
}
