import { hasCode } from '@ballast/base';
import type { CriClient } from './cri/client.ts';
import { ContainerState, type ContainerStatus, SandboxState } from './cri/messages.ts';
import type { Decoded } from './cri/protobuf.ts';
import type { ContainerView, PodView, SandboxView } from './pod/pod-view.ts';
import {
  ANNOTATION_IMAGE,
  ANNOTATION_RESOURCES,
  LABEL_CONTAINER_NAME,
  LABEL_POD_NAME,
  LABEL_POD_NAMESPACE,
  LABEL_POD_UID,
} from './pod/runtime-labels.ts';

const STATES: Readonly<Record<number, ContainerView['state']>> = {
  [ContainerState.created]: 'created',
  [ContainerState.running]: 'running',
  [ContainerState.exited]: 'exited',
};

const toMs = (nanoseconds: bigint): number => Number(nanoseconds / 1_000_000n);

/** A pod that has something in the runtime. */
export interface RuntimePod {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  /** Changes whenever something about the pod changes in the runtime. */
  readonly fingerprint: string;
}

/** Reads pods out of the runtime. Exit codes and addresses never change once known, so they are asked for once. */
export class RuntimeReader {
  readonly #cri: CriClient;
  readonly #ended = new Map<string, ContainerView>();
  readonly #running = new Map<string, ContainerView>();
  readonly #addresses = new Map<string, readonly string[]>();

  constructor(cri: CriClient) {
    this.#cri = cri;
  }

  async podView(uid: string): Promise<PodView> {
    const labelSelector = { [LABEL_POD_UID]: uid };
    const [{ items }, { containers }] = await Promise.all([
      this.#cri.listPodSandbox({ filter: { labelSelector } }),
      this.#cri.listContainers({ filter: { labelSelector } }),
    ]);
    const sandboxes = await Promise.all(
      items.map(async (item): Promise<SandboxView> => {
        const ready = item.state === SandboxState.ready;
        const ips = ready ? await this.#addressesOf(item.id) : [];
        return { id: item.id, attempt: item.metadata?.attempt ?? 0, ready, createdAtMs: toMs(item.createdAt), ips };
      }),
    );
    const views = await Promise.all(
      containers.map((item) => this.#containerView(item.id, STATES[item.state] ?? 'unknown', item.podSandboxId)),
    );
    return {
      sandboxes: sandboxes.toSorted((a, b) => b.createdAtMs - a.createdAtMs || b.attempt - a.attempt),
      containers: views
        .filter((view) => view !== undefined)
        .toSorted((a, b) => b.createdAtMs - a.createdAtMs || b.attempt - a.attempt),
    };
  }

  /** Every pod of the runtime, for finding out what has changed and what nobody wants any more. */
  async pods(): Promise<Map<string, RuntimePod>> {
    const [{ items }, { containers }] = await Promise.all([this.#cri.listPodSandbox({}), this.#cri.listContainers({})]);
    const parts = new Map<string, { name: string; namespace: string; states: string[] }>();
    const note = (labels: Record<string, string>, id: string, state: number) => {
      const uid = labels[LABEL_POD_UID];
      if (uid === undefined) return;
      const part = parts.get(uid) ?? {
        name: labels[LABEL_POD_NAME] ?? '',
        namespace: labels[LABEL_POD_NAMESPACE] ?? '',
        states: [],
      };
      part.states.push(`${id}:${state}`);
      parts.set(uid, part);
    };
    for (const item of items) note(item.labels, item.id, item.state);
    for (const item of containers) note(item.labels, item.id, item.state);
    this.#forgetAllBut(new Set([...items, ...containers].map((item) => item.id)));
    return new Map(
      [...parts].map(([uid, { name, namespace, states }]) => [
        uid,
        { uid, name, namespace, fingerprint: states.toSorted().join(' ') },
      ]),
    );
  }

  async #addressesOf(sandboxId: string): Promise<readonly string[]> {
    const known = this.#addresses.get(sandboxId);
    if (known) return known;
    const { status } = await this.#cri.podSandboxStatus({ podSandboxId: sandboxId });
    const network = status?.network;
    const ips = [network?.ip ?? '', ...(network?.additionalIps ?? []).map(({ ip }) => ip)].filter((ip) => ip !== '');
    if (ips.length > 0) this.#addresses.set(sandboxId, ips);
    return ips;
  }

  async #containerView(
    id: string,
    state: ContainerView['state'],
    sandboxId: string,
  ): Promise<ContainerView | undefined> {
    const known = state === 'exited' ? this.#ended.get(id) : state === 'running' ? this.#running.get(id) : undefined;
    if (known) return known;
    try {
      const { status } = await this.#cri.containerStatus({ containerId: id });
      if (!status) return undefined;
      const view = viewOf(status, sandboxId);
      if (view.state === 'exited') this.#ended.set(id, view);
      if (view.state === 'running') this.#running.set(id, view);
      return view;
    } catch (error) {
      if (hasCode(error, 'cri-not-found')) return undefined;
      throw error;
    }
  }

  #forgetAllBut(ids: ReadonlySet<string>): void {
    for (const map of [this.#ended, this.#running, this.#addresses]) {
      for (const id of map.keys()) if (!ids.has(id)) map.delete(id);
    }
  }
}

function viewOf(status: Decoded<typeof ContainerStatus>, sandboxId: string): ContainerView {
  return {
    id: status.id,
    name: status.labels[LABEL_CONTAINER_NAME] ?? status.metadata?.name ?? '',
    sandboxId,
    attempt: status.metadata?.attempt ?? 0,
    state: STATES[status.state] ?? 'unknown',
    createdAtMs: toMs(status.createdAt),
    startedAtMs: toMs(status.startedAt),
    finishedAtMs: toMs(status.finishedAt),
    exitCode: status.exitCode,
    reason: status.reason,
    message: status.message,
    image: status.annotations[ANNOTATION_IMAGE] ?? '',
    imageRef: status.imageRef,
    resources: status.annotations[ANNOTATION_RESOURCES] ?? '',
  };
}
