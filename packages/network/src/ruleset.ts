import type { HostPort } from './host-ports.ts';

export const TABLE = 'ballast-network';

export interface RulesetInput {
  /** Ranges of this node's pods. */
  readonly podCidrs: readonly string[];
  /** Destinations inside the cluster: pod ranges, Service ranges, and the addresses of nodes. */
  readonly clusterDestinations: readonly string[];
  readonly hostPorts: readonly HostPort[];
}

const isV6 = (address: string) => address.includes(':');

/**
 * The nftables table of this room, replaced as a whole in one transaction.
 *
 * - Pods that talk to the world outside the cluster do so with the address of their node, since nobody there has a route to pods. Inside the
 *   cluster addresses stay as they are.
 * - Host ports are translated for traffic from outside and from the node itself, but not on loopback addresses (as NodePorts in nftables
 *   mode). A pod that comes back to itself that way gets the node's address, or the answer would not find its way back.
 */
export function buildRuleset(input: RulesetInput): string {
  const set = (name: string, family: 'ip' | 'ip6', elements: readonly string[]) => {
    const type = family === 'ip' ? 'ipv4_addr' : 'ipv6_addr';
    const listed = elements.length > 0 ? `\n    elements = { ${[...new Set(elements)].toSorted().join(', ')} }` : '';
    return `  set ${name} {\n    type ${type}\n    flags interval\n    auto-merge${listed}\n  }`;
  };
  const masquerade = input.podCidrs.map((cidr) => {
    const family = isV6(cidr) ? 'ip6' : 'ip';
    const cluster = isV6(cidr) ? 'cluster6' : 'cluster4';
    return `    ${family} saddr ${cidr} ${family} daddr != @${cluster} masquerade fully-random`;
  });
  const translations = input.hostPorts.map((port) => {
    const family = isV6(port.podIp) ? 'ip6' : 'ip';
    const address = port.hostIp === undefined ? '' : `${family} daddr ${port.hostIp} `;
    const target = isV6(port.podIp) ? `[${port.podIp}]:${port.containerPort}` : `${port.podIp}:${port.containerPort}`;
    return `    meta nfproto ${family === 'ip' ? 'ipv4' : 'ipv6'} ${address}${port.protocol} dport ${port.hostPort} dnat ${family} to ${target}`;
  });
  const returns = input.hostPorts.map((port) => {
    const family = isV6(port.podIp) ? 'ip6' : 'ip';
    return `    ct status dnat ${family} saddr ${port.podIp} ${family} daddr ${port.podIp} masquerade`;
  });
  const v4 = input.clusterDestinations.filter((address) => !isV6(address));
  const v6 = input.clusterDestinations.filter(isV6);
  return `add table inet ${TABLE}
delete table inet ${TABLE}
table inet ${TABLE} {
${set('cluster4', 'ip', v4)}
${set('cluster6', 'ip6', v6)}
  chain host-ports {
${translations.join('\n')}
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    fib daddr type local jump host-ports
  }
  chain output {
    type nat hook output priority -100; policy accept;
    fib daddr type local jump host-ports
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
${[...new Set(returns), ...masquerade].join('\n')}
  }
}
`;
}
