import { Backoff, type Clock, type Logger, messageOf, type Running, runInBackground } from '@ballast/base';
import { isApiError, type KubeClient, LEASES, NODES, type Node, type NodeStatus } from '@ballast/kube';
import type { CriClient } from '../cri/client.ts';
import { type Machine, readPressure } from './machine.ts';
import { isNews, type NodeIdentity, newNode, nodeLabels, nodeStatus, type RuntimeHealth } from './node-object.ts';

export interface RegistrationOptions {
  readonly client: KubeClient;
  readonly cri: CriClient;
  readonly identity: NodeIdentity;
  readonly machine: Machine;
  readonly stateDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** How long a lease holds without renewal, and how often it is renewed. */
  readonly leaseSeconds?: number;
  readonly renewMs?: number;
}

/** How often the state of the node is looked at; it is written only when there is news, or after HEARTBEAT_MS. */
const CHECK_MS = 1000;
const HEARTBEAT_MS = 5 * 60_000;
/** Others write the Node too (a controller that misses us says NotReady): it is read again this often, and at once after a lapse. */
const REREAD_MS = 10_000;
const LEASE_NAMESPACE = 'kube-node-lease';

/** Registers the node and keeps its status and its lease current, so that the cluster knows that it is alive. */
export function startRegistration(options: RegistrationOptions): Running & { readonly registered: Promise<void> } {
  const registered = Promise.withResolvers<void>();
  const running = runInBackground(async (signal) => {
    const lapse = { happened: false };
    await Promise.all([
      keepStatus(options, { signal, lapse, registered: registered.resolve }),
      keepLease(options, { signal, lapse }),
    ]);
  });
  return { ...running, registered: registered.promise };
}

/** Set when the lease was renewed only after it had run out: the cluster may think this node dead. */
interface Lapse {
  happened: boolean;
}

async function keepStatus(
  options: RegistrationOptions,
  { signal, lapse, registered }: { signal: AbortSignal; lapse: Lapse; registered: () => void },
): Promise<void> {
  const { client, identity, machine, stateDir, clock, logger } = options;
  const backoff = new Backoff({ minMs: 200, maxMs: 5000 });
  const patience = new RuntimePatience(clock.monotonicMs());
  let node: Node | undefined;
  let writtenMs = Number.NEGATIVE_INFINITY;
  let readMs = clock.monotonicMs();
  while (!signal.aborted) {
    try {
      if (node && (lapse.happened || clock.monotonicMs() - readMs >= REREAD_MS)) {
        lapse.happened = false;
        readMs = clock.monotonicMs();
        node = await client.get(NODES, { name: identity.nodeName });
      }
      node ??= await ensureNode(options);
      const [seen, pressure] = await Promise.all([runtimeHealth(options.cri), readPressure(stateDir)]);
      const old = node.status ?? {};
      const health = patience.judge(seen, { wasReady: isReady(old), nowMs: clock.monotonicMs() });
      if (!health) {
        await clock.sleep(CHECK_MS, signal);
        continue;
      }
      const status = nodeStatus({ identity, machine, health, pressure, old, nowMs: clock.nowMs() });
      if (isNews(old, status) || clock.monotonicMs() - writtenMs >= HEARTBEAT_MS) {
        const patch = { type: 'strategic', body: { status } } as const;
        node = await client.patch(NODES, { name: identity.nodeName }, patch, { subresource: 'status' });
        writtenMs = clock.monotonicMs();
        registered();
      }
      backoff.reset();
      await clock.sleep(CHECK_MS, signal);
    } catch (error) {
      if (signal.aborted) return;
      node = undefined;
      logger.warn('node status not written, trying again', { error: messageOf(error) });
      await clock.sleep(backoff.next(), signal);
    }
  }
}

const isReady = (status: NodeStatus): boolean =>
  status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false;

/** How long a runtime may be away before the node says so; as upstream. */
const PATIENCE_MS = 30_000;

/**
 * A runtime that is started again (crash, upgrade) harms no pod, but a node that is not Ready loses its endpoints. So trouble is told only
 * when it lasts.
 */
export class RuntimePatience {
  #good: RuntimeHealth | undefined;
  #sinceMs: number;

  /** `nowMs` is monotonic. */
  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
  }

  /** What to report; undefined to leave the report of an earlier run of the agent as it is. */
  judge(seen: RuntimeHealth, at: { readonly wasReady: boolean; readonly nowMs: number }): RuntimeHealth | undefined {
    if (seen.runtimeReady && seen.networkReady) {
      this.#good = seen;
      this.#sinceMs = at.nowMs;
      return seen;
    }
    if (at.nowMs - this.#sinceMs >= PATIENCE_MS) return seen;
    return this.#good ?? (at.wasReady ? undefined : seen);
  }
}

/** The Node object; created when it is not there, and given the labels it must have. A cordon and foreign taints stay. */
async function ensureNode({ client, identity, machine }: RegistrationOptions): Promise<Node> {
  const found = await client.find(NODES, { name: identity.nodeName });
  if (!found) {
    try {
      return await client.create(NODES, newNode(identity, machine));
    } catch (error) {
      if (!isApiError(error, 'AlreadyExists')) throw error;
      return client.get(NODES, { name: identity.nodeName });
    }
  }
  const labels = nodeLabels(identity, machine);
  const differs = Object.entries(labels).some(([key, value]) => found.metadata.labels?.[key] !== value);
  if (!differs) return found;
  return client.patch(NODES, { name: identity.nodeName }, { type: 'merge', body: { metadata: { labels } } });
}

async function runtimeHealth(cri: CriClient): Promise<RuntimeHealth> {
  try {
    const [version, { status }] = await Promise.all([
      cri.version({}, { timeoutMs: 5000 }),
      cri.status({}, { timeoutMs: 5000 }),
    ]);
    const conditions = status?.conditions ?? [];
    const isTrue = (type: string) => conditions.find((condition) => condition.type === type)?.status ?? false;
    const bad = conditions.filter((condition) => !condition.status && /Ready$/.test(condition.type));
    return {
      name: version.runtimeName,
      version: version.runtimeVersion,
      runtimeReady: isTrue('RuntimeReady'),
      networkReady: isTrue('NetworkReady'),
      message: bad
        .map(({ type, reason, message }) => `container runtime ${type}=false reason:${reason} message:${message}`)
        .join(', '),
    };
  } catch (error) {
    const message = `container runtime is down: ${messageOf(error)}`;
    return { name: 'containerd', version: 'unknown', runtimeReady: false, networkReady: false, message };
  }
}

/** meta/v1 MicroTime. */
const microTime = (ms: number) => new Date(ms).toISOString().replace('Z', '000Z');

async function keepLease(
  options: RegistrationOptions,
  { signal, lapse }: { signal: AbortSignal; lapse: Lapse },
): Promise<void> {
  const { client, identity, clock, logger } = options;
  const ref = { namespace: LEASE_NAMESPACE, name: identity.nodeName };
  const leaseDurationSeconds = options.leaseSeconds ?? 10;
  const renewMs = options.renewMs ?? 2000;
  let renewedMs = clock.monotonicMs();
  while (!signal.aborted) {
    const dueMs = clock.monotonicMs() + renewMs;
    const spec = { holderIdentity: identity.nodeName, leaseDurationSeconds, renewTime: microTime(clock.nowMs()) };
    try {
      await client.patch(LEASES, ref, { type: 'merge', body: { spec } });
      if (clock.monotonicMs() - renewedMs > leaseDurationSeconds * 1000) lapse.happened = true;
      renewedMs = clock.monotonicMs();
    } catch (error) {
      if (isApiError(error, 'NotFound')) await createLease(options, spec).catch(() => {});
      else logger.warn('lease not renewed', { error: messageOf(error) });
    }
    await clock.sleep(Math.max(100, dueMs - clock.monotonicMs()), signal);
  }
}

async function createLease(
  { client, identity }: RegistrationOptions,
  spec: { holderIdentity: string; leaseDurationSeconds: number; renewTime: string },
): Promise<void> {
  const { nodeName } = identity;
  const node = await client.find(NODES, { name: nodeName });
  const uid = node?.metadata.uid;
  const ownerReferences = uid === undefined ? [] : [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid }];
  await client.create(LEASES, { metadata: { namespace: LEASE_NAMESPACE, name: nodeName, ownerReferences }, spec });
}
