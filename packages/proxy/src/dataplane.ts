import { applyNft, type Flow, forgetFlows, listFlows, queryNft } from '@ballast/linux';
import type { Family } from './element.ts';
import { TABLE, tableFamily } from './ruleset.ts';

/** The kernel as the proxy needs it. */
export interface Dataplane {
  /** Applies a script of nft commands, all or nothing. */
  apply(script: string, signal?: AbortSignal): Promise<void>;
  /** The table without its elements, as text that is equal for equal rules; undefined when there is no table. */
  structure(family: Family): Promise<string | undefined>;
  /** `nft -j list map` of the remembered clients. */
  rememberedClients(family: Family): Promise<string>;
  udpFlows(family: Family): Promise<Flow[]>;
  forgetFlows(flows: readonly Flow[]): Promise<void>;
}

/** The real kernel, through nft and conntrack; in the network namespace `netns` if given, else one's own. */
export function kernelDataplane(options: { readonly netns?: string } = {}): Dataplane {
  const place = options.netns === undefined ? {} : { netns: options.netns };
  return {
    apply: (script, signal) => applyNft(script, signal ? { ...place, signal } : place),
    structure: (family) => queryNft(['-t', 'list', 'table', tableFamily(family), TABLE], place).catch(() => undefined),
    rememberedClients: (family) => queryNft(['-j', 'list', 'map', tableFamily(family), TABLE, 'affinity'], place),
    udpFlows: (family) => listFlows({ protocol: 'udp', family }, place),
    forgetFlows: (flows) => forgetFlows(flows, place),
  };
}
