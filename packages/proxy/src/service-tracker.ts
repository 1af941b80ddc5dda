import type { EndpointSlice, InformerEvent, Service } from '@ballast/kube';
import { keyOf } from '@ballast/kube';
import { type CompiledService, compileService, isProxied, type NodeView } from './compile.ts';
import type { Ledger } from './ledger.ts';
import { serviceKeyOf } from './slices.ts';

/** When the pods behind a slice last changed, as its writer says (RFC 3339). */
const TRIGGER_TIME_ANNOTATION = 'endpoints.kubernetes.io/last-change-trigger-time';

/** A health check that a load balancer asks this node. */
export interface HealthCheck {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
  readonly localEndpoints: number;
}

/**
 * Services and their slices as last seen, and which of them must be compiled again. Events are cheap; the work is done in `compile`, once
 * for all events since the last time.
 */
export class ServiceTracker {
  readonly #services = new Map<string, Service>();
  readonly #slices = new Map<string, Map<string, EndpointSlice>>();
  readonly #compiled = new Map<string, Pick<CompiledService, 'slots' | 'healthCheck'>>();
  readonly #dirty = new Set<string>();
  /** Wall-clock ms of the pod changes that the next compilation brings. */
  #triggersMs: number[] = [];
  #node: NodeView;

  constructor(node: NodeView) {
    this.#node = node;
  }

  get isDirty(): boolean {
    return this.#dirty.size > 0;
  }

  get services(): number {
    return this.#services.size;
  }

  /** What changes about the node changes every Service. */
  setNode(node: NodeView): void {
    this.#node = node;
    for (const key of this.#services.keys()) this.#dirty.add(key);
  }

  onService({ type, object }: InformerEvent<Service>): void {
    const key = keyOf(object);
    if (type !== 'deleted' && isProxied(object)) this.#services.set(key, object);
    else if (!this.#services.delete(key)) return;
    this.#dirty.add(key);
  }

  onSlice(event: InformerEvent<EndpointSlice>): void {
    const { type, object } = event;
    const owner = serviceKeyOf(object);
    const previousOwner = event.type === 'modified' ? serviceKeyOf(event.previous) : undefined;
    const key = keyOf(object);
    if (previousOwner !== undefined && previousOwner !== owner) this.#dropSlice(previousOwner, key);
    if (owner === undefined) return;
    if (type === 'deleted') {
      this.#dropSlice(owner, key);
      return;
    }
    const slices = this.#slices.get(owner);
    if (slices) slices.set(key, object);
    else this.#slices.set(owner, new Map([[key, object]]));
    this.#dirty.add(owner);
    const changed = event.type === 'modified' ? triggerMs(event.previous) !== triggerMs(object) : true;
    const atMs = triggerMs(object);
    if (changed && atMs !== undefined) this.#triggersMs.push(atMs);
  }

  /** Compiles what changed into the ledger. */
  compile(ledger: Ledger): void {
    for (const key of this.#dirty) {
      const service = this.#services.get(key);
      if (!service) {
        ledger.replace(key, []);
        this.#compiled.delete(key);
        continue;
      }
      const slices = [...(this.#slices.get(key)?.values() ?? [])];
      const { units, slots, healthCheck } = compileService(service, slices, this.#node, this.#compiled.get(key)?.slots);
      ledger.replace(key, units);
      this.#compiled.set(key, { slots, healthCheck });
    }
    this.#dirty.clear();
  }

  /** The health checks that this node must answer, as of the last compilation. */
  *healthChecks(): Iterable<HealthCheck> {
    for (const [key, { healthCheck }] of this.#compiled) {
      if (!healthCheck) continue;
      const slash = key.indexOf('/');
      yield { namespace: key.slice(0, slash), name: key.slice(slash + 1), ...healthCheck };
    }
  }

  /** Takes the times of the pod changes seen since the last call. */
  takeTriggersMs(): number[] {
    const taken = this.#triggersMs;
    this.#triggersMs = [];
    return taken;
  }

  #dropSlice(owner: string, key: string): void {
    const slices = this.#slices.get(owner);
    if (!slices?.delete(key)) return;
    if (slices.size === 0) this.#slices.delete(owner);
    this.#dirty.add(owner);
  }
}

function triggerMs(slice: EndpointSlice): number | undefined {
  const ms = Date.parse(slice.metadata.annotations?.[TRIGGER_TIME_ANNOTATION] ?? '');
  return Number.isNaN(ms) ? undefined : ms;
}
