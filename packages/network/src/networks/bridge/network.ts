import { hostLocalIpam, type PodNetwork } from '../../pod-network.ts';

/**
 * The classic: all pods of the node on the bridge cni0. Services between pods of one node then need the kernel module br_netfilter with
 * net.bridge.bridge-nf-call-iptables=1, since replies would otherwise pass connection tracking by.
 */
export const bridge: PodNetwork = {
  name: 'bridge',
  cniPlugins: (settings) => [
    {
      type: 'bridge',
      bridge: 'cni0',
      isGateway: true,
      isDefaultGateway: true,
      hairpinMode: true,
      ipMasq: false,
      ipam: hostLocalIpam(settings),
      ...(settings.mtu === undefined ? {} : { mtu: settings.mtu }),
    },
  ],
};
