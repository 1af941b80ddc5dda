import { BallastError, type Clock } from '@ballast/base';
import type { Container, EphemeralContainer, LifecycleHandler } from '@ballast/kube';
import type { CriClient } from '../cri/client.ts';
import { httpCheck, tcpCheck } from '../probe/run-probe.ts';

/** Hooks have no time limit of their own; this one only keeps a lost call from living forever. */
const LONGEST_MS = 24 * 3600 * 1000;

/** Runs a postStart or preStop hook to its end; throws BallastError 'hook-failed'. */
export async function runHook(options: {
  readonly cri: CriClient;
  readonly clock: Clock;
  readonly handler: LifecycleHandler;
  readonly containerId: string;
  readonly container: Container | EphemeralContainer;
  readonly podIp: string;
  readonly timeoutMs?: number;
}): Promise<void> {
  const { cri, clock, handler, containerId, container, podIp } = options;
  const timeoutMs = options.timeoutMs ?? LONGEST_MS;
  if (handler.sleep) return clock.sleep(Math.min(timeoutMs, handler.sleep.seconds * 1000));
  if (handler.exec) {
    const command = handler.exec.command ?? [];
    const timeout = Math.ceil(timeoutMs / 1000);
    const result = await cri.execSync({ containerId, cmd: command, timeout }, { timeoutMs: timeoutMs + 2000 });
    if (result.exitCode === 0) return;
    const said = Buffer.concat([result.stdout, result.stderr]).subarray(0, 2048).toString('utf8');
    throw new BallastError('hook-failed', `command '${command.join(' ')}' exited with ${result.exitCode}: ${said}`);
  }
  const target = { cri, containerId, container, podIp, timeoutMs: Math.min(timeoutMs, 0x7fff_ffff) };
  const outcome = handler.httpGet
    ? await httpCheck(handler.httpGet, target)
    : handler.tcpSocket
      ? await tcpCheck(handler.tcpSocket, target)
      : { success: true, output: '' };
  if (!outcome.success) throw new BallastError('hook-failed', outcome.output);
}
