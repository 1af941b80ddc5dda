import { cidrContains, cidrRange, compareIp, formatCidr, formatIp, parseCidr } from '@ballast/base';
import type { Family } from './element.ts';

/**
 * The sources that may reach a load-balancer address of `family`: prefixes that do not overlap (nft refuses elements that do), sorted.
 * Undefined means no restriction: no ranges at all, or one that spans a whole family. `vip` is let in when a range holds one of this
 * node's own addresses, because a node on which the address is configured talks to it from it.
 */
export function allowedSources(
  ranges: readonly string[] | undefined,
  options: { readonly family: Family; readonly vip: string; readonly nodeAddresses: readonly string[] },
): readonly string[] | undefined {
  const parsed = (ranges ?? []).map((text) => parseCidr(text.trim())).filter((cidr) => cidr !== undefined);
  if ((ranges ?? []).length === 0 || parsed.some((cidr) => cidr.prefixLength === 0)) return undefined;
  const bits = options.family === 4 ? 32 : 128;
  const nodeCidrs = options.nodeAddresses.map((address) => parseCidr(`${address}/${bits}`));
  const holdsNode = parsed.some((cidr) => nodeCidrs.some((node) => node && cidrContains(cidr, node.ip)));
  const vip = holdsNode ? parseCidr(`${options.vip}/${bits}`) : undefined;
  const all = (vip ? [...parsed, vip] : parsed).filter((cidr) => cidr.ip.family === options.family);
  all.sort((a, b) => compareIp(a.ip, b.ip) || a.prefixLength - b.prefixLength);
  const kept: typeof all = [];
  for (const cidr of all) {
    const last = kept.at(-1);
    // Sorted by first address, a prefix either lies inside the last one kept or starts after it.
    if (!last || !cidrContains(last, cidrRange(cidr).last)) kept.push(cidr);
  }
  return kept.map((cidr) => (cidr.prefixLength === bits ? formatIp(cidr.ip) : formatCidr(cidr)));
}
