import { isDeepStrictEqual } from 'node:util';
import { Backoff, type Clock, type Logger } from '@ballast/base';
import { isApiError, type KubeClient, PODS, type Pod, type PodStatus } from '@ballast/kube';

/** Drops undefined members, so that objects compare as their JSON does. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/**
 * Writes the status of one pod. Only the newest status matters: while a write is under way, later ones replace each other. Failed writes
 * are repeated until they succeed, or until the pod is gone.
 */
export class StatusWriter {
  readonly #client: KubeClient;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #wrote: () => void;
  /** What was written last, and the version of the pod that came of it. */
  #sent: { readonly status: PodStatus; readonly resourceVersion: string | undefined } | undefined;
  #wanted: { pod: Pod; status: PodStatus } | undefined;
  #writing: Promise<void> | undefined;
  #stopped = false;

  constructor(options: { client: KubeClient; clock: Clock; logger: Logger; wrote: () => void }) {
    this.#client = options.client;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#wrote = options.wrote;
  }

  /** Resolves when this status (or a newer one) is in the API; callers that need not know leave the promise alone. */
  write(pod: Pod, status: PodStatus): Promise<void> {
    const wanted = plain(status);
    const base = this.#wanted?.status ?? this.#present(pod);
    if (isDeepStrictEqual(wanted, relevantPart(base, wanted))) return this.#writing ?? Promise.resolve();
    this.#wanted = { pod, status: wanted };
    this.#writing ??= this.#drain().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  /** The status in the API as far as known: our own last one, or that of a pod which is as new (others write it too). */
  #present(pod: Pod): PodStatus {
    const isOlder = Number(pod.metadata.resourceVersion) < Number(this.#sent?.resourceVersion);
    return this.#sent && isOlder ? this.#sent.status : (pod.status ?? {});
  }

  stop(): void {
    this.#stopped = true;
  }

  async #drain(): Promise<void> {
    const backoff = new Backoff({ minMs: 100, maxMs: 5000 });
    while (this.#wanted && !this.#stopped) {
      const { pod, status } = this.#wanted;
      try {
        const { metadata } = await this.#send(pod, status);
        this.#sent = { status, resourceVersion: metadata.resourceVersion };
        if (this.#wanted?.status === status) this.#wanted = undefined;
        backoff.reset();
      } catch (error) {
        // A Conflict means that another pod has taken the name: ours is gone.
        if (isApiError(error, 'NotFound', 'Conflict')) {
          this.#wanted = undefined;
          return;
        }
        this.#logger.warn('pod status not written, trying again', { error });
        await this.#clock.sleep(backoff.next());
      }
    }
  }

  async #send(pod: Pod, status: PodStatus): Promise<Pod> {
    const { namespace, name, uid } = pod.metadata;
    const body = {
      metadata: uid === undefined ? {} : { uid },
      status: statusPatch(this.#present(pod), status),
    };
    const ref = { namespace, name };
    const written = await this.#client.patch(PODS, ref, { type: 'strategic', body }, { subresource: 'status' });
    this.#wrote();
    return written;
  }
}

/**
 * A strategic merge patch that turns one status into another. Such a patch leaves alone what it does not mention, so that what is no more
 * has to be named: members of conditions, and addresses (a list that is merged by `ip`).
 */
export function statusPatch(before: PodStatus, status: PodStatus): object {
  const conditions = (status.conditions ?? []).map((condition) => {
    const old = before.conditions?.find(({ type }) => type === condition.type) ?? {};
    const gone = Object.keys(old).filter((name) => !(name in condition));
    return { ...condition, ...Object.fromEntries(gone.map((name) => [name, null])) };
  });
  const stale = (before.podIPs ?? []).filter(({ ip }) => status.podIPs && !status.podIPs.some((now) => now.ip === ip));
  const podIPs = [...(status.podIPs ?? []), ...stale.map(({ ip }) => ({ $patch: 'delete', ip }))];
  return { ...status, conditions, ...(podIPs.length > 0 ? { podIPs } : {}) };
}

/** The members of `base` that `wanted` speaks of. */
function relevantPart(base: PodStatus, wanted: PodStatus): Partial<PodStatus> {
  const names = new Set(Object.keys(wanted));
  return plain(Object.fromEntries(Object.entries(base).filter(([name]) => names.has(name))));
}
