import { BallastError, type Clock, messageOf } from '@ballast/base';
import type { Secret } from '@ballast/kube';
import type { CriClient } from '../cri/client.ts';
import type { Image } from '../cri/messages.ts';
import type { Decoded } from '../cri/protobuf.ts';
import type { SandboxConfig } from '../pod/container-config.ts';
import { goDuration } from '../pod/restart.ts';
import { credentialsFor, isLatest } from './pull-credentials.ts';

/** Why an image is not there. The code is the waiting reason of the container. */
export class ImageError extends BallastError<'ErrImagePull' | 'ImagePullBackOff' | 'ErrImageNeverPull'> {}

export interface EnsuredImage {
  readonly ref: string;
  readonly uid: number | undefined;
  readonly username: string;
}

const INITIAL_MS = 10_000;
const MAX_MS = 300_000;
const PULL_TIMEOUT_MS = 30 * 60_000;

/** Makes images present, by policy, with a delay after failures (10 s, doubling up to 5 minutes). */
export class ImagePuller {
  readonly #cri: CriClient;
  readonly #clock: Clock;
  readonly #failures = new Map<string, { untilMs: number; delayMs: number; message: string }>();

  constructor(options: { cri: CriClient; clock: Clock }) {
    this.#cri = options.cri;
    this.#clock = options.clock;
  }

  /** Throws ImageError. `event` is told what happens in kubelet's words. */
  async ensure(options: {
    readonly podUid: string;
    readonly image: string;
    readonly policy: string | undefined;
    readonly secrets: readonly Secret[];
    readonly sandboxConfig: SandboxConfig;
    readonly event: (type: 'Normal' | 'Warning', reason: string, message: string) => void;
  }): Promise<EnsuredImage> {
    const { image, event } = options;
    const policy = options.policy ?? (isLatest(image) ? 'Always' : 'IfNotPresent');
    const present = policy === 'Always' ? undefined : await this.#status(image);
    if (present) {
      event('Normal', 'Pulled', `Container image "${image}" already present on machine`);
      return ensured(present);
    }
    if (policy === 'Never') {
      const text = `Container image "${image}" is not present with pull policy of Never`;
      event('Warning', 'ErrImageNeverPull', text);
      throw new ImageError('ErrImageNeverPull', text);
    }
    const key = `${options.podUid} ${image}`;
    const failure = this.#failures.get(key);
    if (failure && failure.untilMs > this.#clock.nowMs()) {
      event('Normal', 'BackOff', `Back-off pulling image "${image}"`);
      throw new ImageError('ImagePullBackOff', `Back-off pulling image "${image}": ${failure.message}`);
    }
    event('Normal', 'Pulling', `Pulling image "${image}"`);
    const startMs = this.#clock.monotonicMs();
    try {
      const ref = await this.#pull(options);
      this.#failures.delete(key);
      const took = this.#clock.monotonicMs() - startMs;
      const status = await this.#status(ref);
      if (!status) throw new BallastError('image-lost', 'the image is gone after it was pulled');
      const shown = took < 1000 ? `${Math.round(took)}ms` : goDuration(took);
      event(
        'Normal',
        'Pulled',
        `Successfully pulled image "${image}" in ${shown} (${shown} including waiting). Image size: ${status.size} bytes.`,
      );
      return ensured(status);
    } catch (error) {
      const message = messageOf(error);
      const delayMs = Math.min(MAX_MS, failure ? failure.delayMs * 2 : INITIAL_MS);
      this.#failures.set(key, { untilMs: this.#clock.nowMs() + delayMs, delayMs, message });
      event('Warning', 'Failed', `Failed to pull image "${image}": ${message}`);
      event('Warning', 'Failed', 'Error: ErrImagePull');
      throw new ImageError('ErrImagePull', message, { cause: error });
    }
  }

  /** Wall-clock ms when the next pull may be tried, or undefined when none has failed. */
  retryAtMs(podUid: string, image: string): number | undefined {
    return this.#failures.get(`${podUid} ${image}`)?.untilMs;
  }

  forget(podUid: string): void {
    for (const key of this.#failures.keys()) if (key.startsWith(`${podUid} `)) this.#failures.delete(key);
  }

  async #pull(options: { image: string; secrets: readonly Secret[]; sandboxConfig: SandboxConfig }): Promise<string> {
    const { image, sandboxConfig } = options;
    let failure: unknown;
    for (const auth of [...credentialsFor(image, options.secrets), undefined]) {
      try {
        const request = { image: { image }, sandboxConfig, ...(auth ? { auth } : {}) };
        return (await this.#cri.pullImage(request, { timeoutMs: PULL_TIMEOUT_MS })).imageRef;
      } catch (error) {
        failure ??= error;
      }
    }
    throw failure;
  }

  async #status(image: string): Promise<Decoded<typeof Image> | undefined> {
    return (await this.#cri.imageStatus({ image: { image } })).image;
  }
}

function ensured(image: Decoded<typeof Image>): EnsuredImage {
  // Without a uid the image may name a user, or say nothing and thereby mean root.
  const uid = image.uid?.value ?? (image.username === '' ? 0 : undefined);
  return { ref: image.id, uid, username: image.username };
}
