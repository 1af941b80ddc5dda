import type { Exchange } from '../http/exchange.ts';
import { send } from '../http/respond.ts';
import type { Kernel } from '../kernel.ts';
import { noSuchPath } from '../object/failures.ts';

/** One thing that must hold for the server to be healthy. */
interface HealthCheck {
  readonly name: string;
  /** False or a rejection: it does not hold. */
  readonly holds: (kernel: Kernel) => boolean | Promise<boolean>;
}

const PING: HealthCheck = { name: 'ping', holds: () => true };
/** Asks the database itself, past every cache. */
const STORE: HealthCheck = {
  name: 'store',
  holds: async ({ store }) => {
    await store.get('health');
    return true;
  },
};
const NOT_STOPPING: HealthCheck = { name: 'shutdown', holds: ({ stopping }) => !stopping.aborted };

const CHECKS: Readonly<Record<string, readonly HealthCheck[]>> = {
  healthz: [PING, STORE],
  livez: [PING, STORE],
  readyz: [PING, STORE, NOT_STOPPING],
};

async function holds(check: HealthCheck, kernel: Kernel): Promise<boolean> {
  try {
    return await check.holds(kernel);
  } catch {
    return false;
  }
}

/** /healthz, /livez and /readyz, each with ?verbose, ?exclude= and a path per check. */
export async function serveHealth(kernel: Kernel, exchange: Exchange): Promise<void> {
  const [, kind = '', only] = exchange.path.split('/');
  const excluded = exchange.query.getAll('exclude');
  const checks = (CHECKS[kind] ?? []).filter(({ name }) => !excluded.includes(name) && (!only || name === only));
  if (only && checks.length === 0) throw noSuchPath();
  const lines = await Promise.all(checks.map(async (check) => ({ name: check.name, ok: await holds(check, kernel) })));
  const ok = lines.every((line) => line.ok);
  const report = lines
    .map((line) => (line.ok ? `[+]${line.name} ok` : `[-]${line.name} failed: reason withheld`))
    .join('\n');
  const text = ok && !exchange.query.has('verbose') ? 'ok' : `${report}\n${kind} check ${ok ? 'passed' : 'failed'}\n`;
  await send(exchange, { code: ok ? 200 : 500, body: Buffer.from(text), contentType: 'text/plain; charset=utf-8' });
}
