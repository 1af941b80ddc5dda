export type { PodNetwork, PodNetworkSettings } from './pod-network.ts';
export { findPodNetwork, POD_NETWORKS } from './pod-networks.ts';
export { type PodNetworkOptions, startPodNetwork } from './start.ts';
