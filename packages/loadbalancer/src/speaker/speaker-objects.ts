import { type Clock, type Ip, type Logger, parseIp } from '@ballast/base';
import {
  ENDPOINT_SLICES,
  type EndpointSlice,
  type Informer,
  type KubeClient,
  type KubeObject,
  type LabelSelector,
  NODES,
  type Node,
  SECRETS,
  SERVICES,
  type Secret,
  type Service,
  startInformer,
} from '@ballast/kube';
import type { ConfigurationObjects } from '../configuration/parse-configuration.ts';
import { matchesAny } from '../configuration/selection.ts';
import {
  BFD_PROFILES,
  BGP_ADVERTISEMENTS,
  BGP_PEERS,
  COMMUNITIES,
  CONFIGURATION_STATES,
  IP_ADDRESS_POOLS,
  L2_ADVERTISEMENTS,
  METALLB_NAMESPACE,
  SERVICE_BGP_STATUSES,
  SERVICE_L2_STATUSES,
  type ServiceStatusRecord,
} from '../resources/kinds.ts';
import type { NodeFacts } from './facts.ts';
import { BY_SERVICE, serviceOfStatus } from './service-statuses.ts';

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

/** Local copies of all that a speaker reads. */
export interface SpeakerObjects extends AsyncDisposable {
  readonly synced: Promise<unknown>;
  readonly services: Informer<Service>;
  readonly slices: Informer<EndpointSlice>;
  readonly nodes: Informer<Node>;
  readonly l2Statuses: Informer<ServiceStatusRecord>;
  readonly bgpStatuses: Informer<ServiceStatusRecord>;
  slicesOf(service: string): Iterable<EndpointSlice>;
  secretOf(name: string): Secret | undefined;
  configuration(): ConfigurationObjects;
  /** Calls back when anything changed that concerns every Service. */
  onConfiguration(handler: () => void): void;
  /** Calls back with the key of the Service whose status objects changed. */
  readonly statuses: { onChange(handler: (service: string) => void): void };
  /** Calls back when the ConfigurationState of this node changed. */
  onOwnState(handler: () => void): void;
  /** Whether the nodeSelectors in an object's spec take in a node. */
  selectsNode(object: object, node: NodeFacts | undefined): boolean;
}

export function startSpeakerObjects(options: {
  readonly client: KubeClient;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly nodeName: string;
}): SpeakerObjects {
  const { client } = options;
  const common = { logger: options.logger, clock: options.clock };
  const own = { ...common, namespace: METALLB_NAMESPACE };
  const services = startInformer(client, SERVICES, common);
  const slices = startInformer(client, ENDPOINT_SLICES, {
    ...common,
    indexes: {
      [BY_SERVICE]: ({ metadata }) => {
        const name = metadata.labels?.[SERVICE_NAME_LABEL];
        return name === undefined ? [] : [`${metadata.namespace ?? ''}/${name}`];
      },
    },
  });
  const nodes = startInformer(client, NODES, common);
  const secrets = startInformer(client, SECRETS, own);
  const pools = startInformer(client, IP_ADDRESS_POOLS, own);
  const l2Advertisements = startInformer(client, L2_ADVERTISEMENTS, own);
  const bgpAdvertisements = startInformer(client, BGP_ADVERTISEMENTS, own);
  const peers = startInformer(client, BGP_PEERS, own);
  const bfdProfiles = startInformer(client, BFD_PROFILES, own);
  const communities = startInformer(client, COMMUNITIES, own);
  const states = startInformer(client, CONFIGURATION_STATES, own);
  const byService = { ...own, indexes: { [BY_SERVICE]: serviceOfStatus } };
  const l2Statuses = startInformer(client, SERVICE_L2_STATUSES, byService);
  const bgpStatuses = startInformer(client, SERVICE_BGP_STATUSES, byService);
  const secretOf = (name: string) => secrets.get(`${METALLB_NAMESPACE}/${name}`);
  const configurationInformers = [
    secrets,
    l2Advertisements,
    bgpAdvertisements,
    peers,
    bfdProfiles,
    communities,
  ] as const;
  const all = [services, slices, nodes, pools, states, l2Statuses, bgpStatuses, ...configurationInformers];

  return {
    synced: Promise.all(all.map((informer) => informer.synced)),
    services,
    slices,
    nodes,
    l2Statuses,
    bgpStatuses,
    slicesOf: (service) => slices.byIndex(BY_SERVICE, service),
    secretOf,
    configuration: () => ({
      pools: pools.list(),
      l2Advertisements: l2Advertisements.list(),
      bgpAdvertisements: bgpAdvertisements.list(),
      peers: peers.list(),
      bfdProfiles: bfdProfiles.list(),
      communities: communities.list(),
      secretOf,
    }),
    onConfiguration(handler) {
      for (const informer of configurationInformers) onEach(informer, handler);
      // Counters of pools and heartbeats of nodes change all the time and mean nothing here.
      pools.onChange((event) => {
        if (
          event.type !== 'modified' ||
          JSON.stringify(essenceOfPool(event.previous)) !== JSON.stringify(essenceOfPool(event.object))
        )
          handler();
      });
      nodes.onChange((event) => {
        if (event.type !== 'modified' || essenceOfNode(event.previous) !== essenceOfNode(event.object)) handler();
      });
    },
    statuses: {
      onChange(handler) {
        for (const informer of [l2Statuses, bgpStatuses]) {
          informer.onChange(({ object }) => {
            for (const service of serviceOfStatus(object)) handler(service);
          });
        }
      },
    },
    onOwnState: (handler) =>
      states.onChange(({ object }) => {
        if (object.metadata.name === `speaker-${options.nodeName}`) handler();
      }),
    selectsNode(object, node) {
      const selectors = (object as { spec?: { nodeSelectors?: LabelSelector[] } }).spec?.nodeSelectors ?? [];
      return matchesAny(selectors, node?.labels);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(all.map((informer) => informer[Symbol.asyncDispose]()));
    },
  };
}

function onEach(informer: { onChange(handler: () => void): void }, handler: () => void): void {
  informer.onChange(() => handler());
}

function essenceOfPool({ spec, metadata }: KubeObject & { spec: unknown }): unknown {
  return [spec, metadata.labels, metadata.uid];
}

function essenceOfNode(node: Node): string {
  const conditions = (node.status?.conditions ?? [])
    .filter(({ type }) => type === 'Ready' || type === 'NetworkUnavailable')
    .map(({ type, status }) => `${type}=${status}`)
    .sort();
  return JSON.stringify([node.metadata.labels, conditions, node.status?.addresses, node.metadata.uid]);
}

/** The InternalIP of a node in one family. */
export function addressOfNode(node: Node, family: 4 | 6): Ip | undefined {
  for (const { type, address } of node.status?.addresses ?? []) {
    const ip = type === 'InternalIP' ? parseIp(address) : undefined;
    if (ip?.family === family) return ip;
  }
  return undefined;
}
