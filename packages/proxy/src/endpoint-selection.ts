/** One address of an EndpointSlice under one port, reduced to what routing needs. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** On this node. Endpoints without a node name are nowhere local. */
  readonly local: boolean;
  /** On a node that neighbours have lost: the API does not know yet, but packets would go nowhere. */
  readonly lost: boolean;
  readonly nodeHints: readonly string[] | undefined;
  readonly zoneHints: readonly string[] | undefined;
}

export interface Place {
  readonly nodeName: string;
  /** The node's topology.kubernetes.io/zone label. */
  readonly zone: string | undefined;
  /** Nodes that are known to be dead before the API says so. */
  readonly lostNodes: ReadonlySet<string>;
}

export interface SelectionPolicy {
  /** Whether any traffic may go to endpoints on other nodes: internalTrafficPolicy Cluster, or reachable from outside at all. */
  readonly usesCluster: boolean;
  /** Whether any traffic is bound to this node's endpoints by a policy Local. */
  readonly usesLocal: boolean;
}

export interface Selection {
  /** For traffic under policy Cluster, and for what policy Local short-circuits. */
  readonly cluster: readonly Endpoint[];
  /** For traffic under policy Local. */
  readonly local: readonly Endpoint[];
  /** False when nothing anywhere could take traffic: then it is refused; else a policy Local without local endpoints drops. */
  readonly hasEndpoints: boolean;
}

/**
 * Which endpoints traffic goes to, as kube-proxy decides it: ready ones, narrowed by topology hints; if there are none, those that still
 * serve while they terminate (then without hints). Judged separately for the Cluster and the Local list. Beyond kube-proxy: endpoints on
 * lost nodes are left out while there are others, so that a power cut is over for clients long before its Lease runs out.
 */
export function selectEndpoints(endpoints: readonly Endpoint[], policy: SelectionPolicy, place: Place): Selection {
  const allReady = endpoints.filter((endpoint) => endpoint.ready);
  const reachable = allReady.filter((endpoint) => !endpoint.lost);
  const ready = reachable.length > 0 ? reachable : allReady;
  const draining = endpoints.filter((endpoint) => !endpoint.ready && endpoint.serving && endpoint.terminating);
  const orDraining = (chosen: readonly Endpoint[], spare: readonly Endpoint[]) => (chosen.length > 0 ? chosen : spare);
  const cluster = policy.usesCluster ? orDraining(byTopology(ready, place), draining) : [];
  const isLocal = (endpoint: Endpoint) => endpoint.local;
  const local = policy.usesLocal ? orDraining(ready.filter(isLocal), draining.filter(isLocal)) : [];
  const hasEndpoints = policy.usesCluster ? cluster.length > 0 : ready.length > 0 || draining.length > 0;
  return { cluster, local, hasEndpoints: hasEndpoints || local.length > 0 };
}

/** Hints count only when every ready endpoint has one and one of them names this place; same node before same zone. */
function byTopology(ready: readonly Endpoint[], place: Place): readonly Endpoint[] {
  const { nodeName, zone } = place;
  for (const [hintsOf, here] of [
    [(endpoint: Endpoint) => endpoint.nodeHints, nodeName],
    [(endpoint: Endpoint) => endpoint.zoneHints, zone],
  ] as const) {
    if (here === undefined || here === '') continue;
    if (!ready.every((endpoint) => (hintsOf(endpoint)?.length ?? 0) > 0)) continue;
    const near = ready.filter((endpoint) => hintsOf(endpoint)?.includes(here));
    if (near.length > 0) return near;
  }
  return ready;
}
