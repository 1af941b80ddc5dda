import { networkInterfaces } from 'node:os';
import { type Ip, parseIp } from '@ballast/base';
import { interfaceFlags, interfaceIndex } from '@ballast/linux';
import { type Mac, ZERO_MAC } from './ethernet.ts';
import type { LinkIdentity } from './responder.ts';

/** An interface that addresses can be announced on. */
export interface Link extends LinkIdentity {
  readonly index: number;
}

const IFF_UP = 0x1;
const IFF_BROADCAST = 0x2;
const IFF_RUNNING = 0x40;
const IFF_NOARP = 0x80;
const IFF_SLAVE = 0x800;

/** Interfaces of containers, tunnels and virtual switches, by the beginning of their name. */
const NOT_A_LAN =
  /^(docker|cbr|dummy|virbr|lxcbr|veth|lo$|cali|tunl|flannel|kube-ipvs|cni|nodelocaldns|lxc|vxlan|geneve|br-|ifb|nerdctl|podman)/;

/** The interfaces of this network namespace that lead to a LAN: up, with broadcast and ARP, no part of a bond, and no pod interface. */
export function listLinks(): Link[] {
  const links: Link[] = [];
  for (const [name, addresses = []] of Object.entries(networkInterfaces())) {
    if (NOT_A_LAN.test(name)) continue;
    const mac: Mac | undefined = addresses.find((address) => address.mac !== ZERO_MAC)?.mac;
    const index = interfaceIndex(name);
    const flags = interfaceFlags(name) ?? 0;
    const usable = (flags & (IFF_UP | IFF_BROADCAST | IFF_RUNNING)) === (IFF_UP | IFF_BROADCAST | IFF_RUNNING);
    if (!usable || (flags & (IFF_NOARP | IFF_SLAVE)) !== 0 || mac === undefined || index === undefined) continue;
    links.push({
      name,
      index,
      mac,
      linkLocal: addresses.map((a) => linkLocalOf(a.address)).find((ip) => ip !== undefined),
    });
  }
  return links.sort((a, b) => a.index - b.index);
}

function linkLocalOf(text: string): Ip | undefined {
  const ip = parseIp(text.replace(/%.*$/, ''));
  return ip?.family === 6 && ip.value >> 118n === 0x3fan ? ip : undefined;
}
