import { createHash } from 'node:crypto';
import { type Ip, ipEquals } from '@ballast/base';
import type { GracefulRestartConfig, PeerConfig } from '@ballast/bgp';
import type { Configuration, Peer } from '../configuration/configuration.ts';
import { matchesAny } from '../configuration/selection.ts';
import type { NodeFacts } from './facts.ts';

const TTL_MULTIHOP = 255;
const TTL_INTERNAL = 64;
const TTL_NEIGHBOUR = 1;

/** The sessions that this node shall have. */
export function peersOfNode(
  configuration: Configuration,
  options: {
    readonly node: NodeFacts;
    readonly nodeIps: readonly Ip[];
    readonly gracefulRestart: GracefulRestartConfig;
  },
): PeerConfig[] {
  const { node, nodeIps } = options;
  const own = (family: 4 | 6) => nodeIps.find((ip) => ip.family === family);
  const [ipv4, ipv6] = [own(4), own(6)];
  return configuration.peers
    .filter((peer) => matchesAny(peer.nodeSelectors, node.labels) && !nodeIps.some((ip) => ipEquals(ip, peer.address)))
    .map((peer): PeerConfig => {
      const internal = peer.peerAsn === 'internal' || peer.peerAsn === peer.localAsn;
      return {
        name: peer.name,
        address: peer.address,
        port: peer.port,
        localAsn: peer.localAsn,
        peerAsn: peer.peerAsn,
        routerId: peer.routerId ?? ipv4 ?? identifierOf(node.name),
        ...(peer.sourceAddress ? { sourceAddress: peer.sourceAddress } : {}),
        holdTimeSeconds: peer.holdTimeSeconds,
        ...(peer.keepaliveSeconds === undefined ? {} : { keepaliveSeconds: peer.keepaliveSeconds }),
        connectRetryMs: peer.connectRetryMs,
        ...(peer.password === undefined ? {} : { password: peer.password }),
        ttl: peer.multihop ? TTL_MULTIHOP : internal ? TTL_INTERNAL : TTL_NEIGHBOUR,
        ...(peer.vrf === undefined ? {} : { device: peer.vrf }),
        families: familiesOf(peer),
        ...(peer.gracefulRestart ? { gracefulRestart: options.gracefulRestart } : {}),
        nextHops: { ...(ipv4 ? { 4: ipv4 } : {}), ...(ipv6 ? { 6: ipv6 } : {}) },
      };
    });
}

/** IPv4 routes go over IPv4 sessions and IPv6 routes over IPv6 sessions, unless both are asked for. */
function familiesOf(peer: Peer): PeerConfig['families'] {
  if (peer.bothFamilies) return ['ipv4-unicast', 'ipv6-unicast'];
  return peer.address.family === 4 ? ['ipv4-unicast'] : ['ipv6-unicast'];
}

/** A BGP identifier for a node without an IPv4 address. */
function identifierOf(name: string): Ip {
  const value = createHash('sha256').update(name).digest().readUInt32BE(0);
  return { family: 4, value: BigInt(value === 0 ? 1 : value) };
}
