import type { KubeObject, LabelSelector, Resource } from '@ballast/kube';

/** MetalLB's kinds (group metallb.io) as objects of the API; see crds.ts for their schemas. */
export const METALLB_GROUP = 'metallb.io';
/** The only namespace whose objects count. */
export const METALLB_NAMESPACE = 'metallb-system';

export interface IpAddressPool extends KubeObject {
  spec: {
    addresses: string[];
    autoAssign?: boolean;
    avoidBuggyIPs?: boolean;
    serviceAllocation?: {
      priority?: number;
      namespaces?: string[];
      namespaceSelectors?: LabelSelector[];
      serviceSelectors?: LabelSelector[];
    };
  };
  status?: PoolStatus;
}

export interface PoolStatus {
  assignedIPv4: number;
  assignedIPv6: number;
  availableIPv4: number;
  availableIPv6: number;
}

export interface L2Advertisement extends KubeObject {
  spec?: {
    ipAddressPools?: string[];
    ipAddressPoolSelectors?: LabelSelector[];
    nodeSelectors?: LabelSelector[];
    interfaces?: string[];
    serviceSelectors?: LabelSelector[];
    preferredNodeSelectors?: { weight: number; preference: LabelSelector }[];
  };
}

export interface BgpAdvertisement extends KubeObject {
  spec?: {
    aggregationLength?: number;
    aggregationLengthV6?: number;
    localPref?: number;
    communities?: string[];
    ipAddressPools?: string[];
    ipAddressPoolSelectors?: LabelSelector[];
    nodeSelectors?: LabelSelector[];
    peers?: string[];
    serviceSelectors?: LabelSelector[];
  };
}

export interface BgpPeer extends KubeObject {
  spec: {
    myASN: number;
    peerASN?: number;
    dynamicASN?: 'internal' | 'external';
    localASN?: number;
    peerAddress?: string;
    interface?: string;
    sourceAddress?: string;
    peerPort?: number;
    holdTime?: string;
    keepaliveTime?: string;
    connectTime?: string;
    routerID?: string;
    nodeSelectors?: LabelSelector[];
    password?: string;
    passwordSecret?: { name?: string; namespace?: string };
    bfdProfile?: string;
    enableGracefulRestart?: boolean;
    ebgpMultiHop?: boolean;
    vrf?: string;
    dualStackAddressFamily?: boolean;
    disableMP?: boolean;
  };
}

export interface BfdProfile extends KubeObject {
  spec?: Record<string, unknown>;
}

export interface CommunityList extends KubeObject {
  spec?: { communities?: { name?: string; value?: string }[] };
}

/** ServiceL2Status and ServiceBGPStatus: who announces a Service, on which interfaces or to which peers. */
export interface ServiceStatusRecord extends KubeObject {
  spec?: Record<string, never>;
  status?: {
    node?: string;
    serviceName?: string;
    serviceNamespace?: string;
    interfaces?: { name?: string }[];
    peers?: string[];
  };
}

export interface ConfigurationState extends KubeObject {
  status?: { result?: 'Valid' | 'Invalid' | 'Unknown'; errorSummary?: string; conditions?: StateCondition[] };
}

export interface StateCondition {
  type: string;
  status: 'True' | 'False' | 'Unknown';
  reason: string;
  message: string;
  lastTransitionTime: string;
}

function metallb<T extends KubeObject>(kind: string, plural: string, version = 'v1beta1'): Resource<T> {
  return { group: METALLB_GROUP, version, plural, kind, namespaced: true };
}

export const IP_ADDRESS_POOLS = metallb<IpAddressPool>('IPAddressPool', 'ipaddresspools');
export const L2_ADVERTISEMENTS = metallb<L2Advertisement>('L2Advertisement', 'l2advertisements');
export const BGP_ADVERTISEMENTS = metallb<BgpAdvertisement>('BGPAdvertisement', 'bgpadvertisements');
export const BGP_PEERS = metallb<BgpPeer>('BGPPeer', 'bgppeers', 'v1beta2');
export const BFD_PROFILES = metallb<BfdProfile>('BFDProfile', 'bfdprofiles');
export const COMMUNITIES = metallb<CommunityList>('Community', 'communities');
export const SERVICE_L2_STATUSES = metallb<ServiceStatusRecord>('ServiceL2Status', 'servicel2statuses');
export const SERVICE_BGP_STATUSES = metallb<ServiceStatusRecord>('ServiceBGPStatus', 'servicebgpstatuses');
export const CONFIGURATION_STATES = metallb<ConfigurationState>('ConfigurationState', 'configurationstates');
