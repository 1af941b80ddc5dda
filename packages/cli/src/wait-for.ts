import { BallastError, type Clock, messageOf } from '@ballast/base';

/**
 * Asks `probe` again and again until it gives something; what it throws counts as "not yet". After `timeoutMs` the error says what was
 * waited for and what it last said.
 */
export async function waitFor<Value>(
  what: string,
  options: { clock: Clock; signal: AbortSignal; timeoutMs: number; everyMs?: number },
  probe: () => Promise<Value | undefined>,
): Promise<Value> {
  const { clock, signal, timeoutMs, everyMs = 100 } = options;
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  let last = 'nothing yet';
  for (;;) {
    signal.throwIfAborted();
    try {
      const value = await probe();
      if (value !== undefined) return value;
    } catch (error) {
      last = messageOf(error);
    }
    if (clock.monotonicMs() > deadlineMs) {
      throw new BallastError('wait-timeout', `${what}: not within ${timeoutMs / 1000} s (last: ${last})`);
    }
    await clock.sleep(everyMs, signal);
  }
}
