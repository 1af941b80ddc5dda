import { BallastError } from '@ballast/base';
import { bridge } from './networks/bridge/network.ts';
import { routed } from './networks/routed/network.ts';
import type { PodNetwork } from './pod-network.ts';

/** All pod networks; the first is the default. */
export const POD_NETWORKS: readonly PodNetwork[] = [routed, bridge];

export function findPodNetwork(name: string | undefined): PodNetwork {
  const found = POD_NETWORKS.find((network) => name === undefined || network.name === name);
  if (found) return found;
  const known = POD_NETWORKS.map((network) => network.name).join(', ');
  throw new BallastError('pod-network-unknown', `there is no pod network '${name}'; known are ${known}`);
}
