/** What a pod network is told about this node. */
export interface PodNetworkSettings {
  /** The addresses of this node's pods, one range per family. */
  readonly podCidrs: readonly string[];
  /** Folder in which address assignments are kept; survives reboots, so that they can be given back. */
  readonly dataDir: string;
  /** Largest packet; the kernel's default when not given. */
  readonly mtu?: number | undefined;
}

/**
 * How pods of one node are wired up: the extension point of this room. A network is a folder in `networks/` with one exported value, and a
 * line in pod-networks.ts.
 */
export interface PodNetwork {
  readonly name: string;
  /** The chain of CNI plugins (cni.dev specification 1.0) that containerd calls for each sandbox. */
  cniPlugins(settings: PodNetworkSettings): readonly object[];
}

/** Address management of the CNI plugins: host-local hands out the node's ranges one after the other. */
export function hostLocalIpam(settings: PodNetworkSettings): object {
  return {
    type: 'host-local',
    dataDir: settings.dataDir,
    ranges: settings.podCidrs.map((subnet) => [{ subnet }]),
    routes: settings.podCidrs.map((subnet) => ({ dst: subnet.includes(':') ? '::/0' : '0.0.0.0/0' })),
  };
}
