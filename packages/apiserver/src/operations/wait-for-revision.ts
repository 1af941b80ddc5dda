import type { Kernel } from '../kernel.ts';
import { versionTooLarge } from '../object/failures.ts';

/** A client may be ahead of us for a moment (it was told by another server); longer than this, it is answered 504. */
const MAX_WAIT_MS = 3000;

/** Resolves when the store has reached `revision`. */
export async function waitForRevision(kernel: Kernel, revision: number): Promise<void> {
  const deadlineMs = kernel.clock.monotonicMs() + MAX_WAIT_MS;
  while (kernel.cache.revision < revision) {
    const leftMs = deadlineMs - kernel.clock.monotonicMs();
    if (leftMs <= 0) throw versionTooLarge(revision, kernel.cache.revision);
    await new Promise<void>((resolve) => {
      const timer = kernel.clock.timer(leftMs, resolve);
      kernel.cache.onNextCommit(() => {
        timer[Symbol.dispose]();
        resolve();
      });
    });
  }
}
