import type { Ip } from '@ballast/base';
import { type EndpointSlice, keyOf, type Labels, type Node, type Service } from '@ballast/kube';
import { statusAddresses } from '../allocation/decide-service.ts';
import { annotationOf } from '../allocation/service-request.ts';

/** What matters of a node for announcing. */
export interface NodeFacts {
  readonly name: string;
  readonly labels: Labels;
  readonly ready: boolean;
  /** Why it must not announce at all. */
  readonly unfit: 'nodeNetworkUnavailable' | 'nodeLabeledExcludeBalancers' | undefined;
}

export const EXCLUDE_LABEL = 'node.kubernetes.io/exclude-from-external-load-balancers';

export function nodeFacts(node: Node): NodeFacts {
  const condition = (type: string) => node.status?.conditions?.find((candidate) => candidate.type === type)?.status;
  const labels = node.metadata.labels ?? {};
  return {
    name: node.metadata.name,
    labels,
    ready: condition('Ready') === 'True',
    unfit:
      condition('NetworkUnavailable') === 'True'
        ? 'nodeNetworkUnavailable'
        : EXCLUDE_LABEL in labels
          ? 'nodeLabeledExcludeBalancers'
          : undefined,
  };
}

/** What matters of a Service for announcing. */
export interface ServiceFacts {
  readonly key: string;
  readonly labels: Labels;
  /** In the order of its status; the first decides the election. */
  readonly addresses: readonly Ip[];
  /** Only nodes with an endpoint may announce. */
  readonly local: boolean;
  /** It may share its address. */
  readonly shared: boolean;
  readonly hasEndpoint: boolean;
  readonly endpointNodes: ReadonlySet<string>;
}

/** Undefined when there is nothing to announce, or when the status holds what is none of ours. */
export function serviceFacts(service: Service, slices: Iterable<EndpointSlice>): ServiceFacts | undefined {
  const addresses = statusAddresses(service);
  if (!addresses || addresses.length === 0) return undefined;
  let hasEndpoint = false;
  const endpointNodes = new Set<string>();
  for (const slice of slices) {
    for (const { conditions, nodeName } of slice.endpoints ?? []) {
      // A terminating pod that still serves keeps its node: connections drain.
      if (conditions?.ready === false && conditions.serving !== true) continue;
      hasEndpoint = true;
      if (nodeName !== undefined) endpointNodes.add(nodeName);
    }
  }
  return {
    key: keyOf(service),
    labels: service.metadata.labels ?? {},
    addresses,
    local: service.spec?.externalTrafficPolicy === 'Local',
    shared: (annotationOf(service, 'allow-shared-ip') ?? '') !== '',
    hasEndpoint,
    endpointNodes,
  };
}

/** Why a Service is not announced, as MetalLB names it in its logs. */
export type WithdrawReason =
  | 'ipNotAllowed'
  | 'noMatchingAdvertisement'
  | 'sharedIPWithServiceSelector'
  | 'conflictingAdvertisements'
  | 'nodeNetworkUnavailable'
  | 'nodeLabeledExcludeBalancers'
  | 'nodeNotReady'
  | 'noLocalEndpoints'
  | 'noEndpoints'
  | 'notOwner';
