import { hostLocalIpam, type PodNetwork } from '../../pod-network.ts';

/**
 * Each pod has a point-to-point link to the node, and the node routes between them. There is no bridge, hence no need for br_netfilter: a
 * reply to a pod of the same node passes the same connection tracking as the request, so that Service addresses are translated back.
 */
export const routed: PodNetwork = {
  name: 'routed',
  cniPlugins: (settings) => [
    {
      type: 'ptp',
      ipMasq: false,
      ipam: hostLocalIpam(settings),
      ...(settings.mtu === undefined ? {} : { mtu: settings.mtu }),
    },
  ],
};
