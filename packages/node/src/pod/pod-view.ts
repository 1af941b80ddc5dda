/** What the runtime knows of a sandbox. Times are wall-clock milliseconds. */
export interface SandboxView {
  readonly id: string;
  readonly attempt: number;
  readonly ready: boolean;
  readonly createdAtMs: number;
  /** Empty for pods in the node's network, and until the sandbox has its address. */
  readonly ips: readonly string[];
}

/** What the runtime knows of one run of a container. */
export interface ContainerView {
  readonly id: string;
  readonly name: string;
  readonly sandboxId: string;
  /** How many runs came before, hence the restart count. */
  readonly attempt: number;
  readonly state: 'created' | 'running' | 'exited' | 'unknown';
  readonly createdAtMs: number;
  /** 0 when it has not started, or not ended. */
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly exitCode: number;
  readonly reason: string;
  readonly message: string;
  readonly image: string;
  readonly imageRef: string;
  /** What the container was created with, see resourcesText; empty when another agent created it. */
  readonly resources: string;
}

/** A pod as it is in the runtime; both lists are newest first. */
export interface PodView {
  readonly sandboxes: readonly SandboxView[];
  readonly containers: readonly ContainerView[];
}

export const EMPTY_VIEW: PodView = { sandboxes: [], containers: [] };

/** The newest run of each container, by name. */
export function latestByName(view: PodView): Map<string, ContainerView> {
  const latest = new Map<string, ContainerView>();
  for (const container of view.containers) if (!latest.has(container.name)) latest.set(container.name, container);
  return latest;
}

/** The sandbox that containers are to be started in, if there is one. */
export function currentSandbox(view: PodView): SandboxView | undefined {
  const newest = view.sandboxes[0];
  return newest?.ready ? newest : undefined;
}
