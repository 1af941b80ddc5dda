import type { Observation } from '../chain/plugin.ts';
import type { Next, Outcome, Query } from '../chain/query.ts';
import { failure } from '../chain/query.ts';
import { type Name, parentOf } from '../wire/name.ts';
import { TYPE } from '../wire/registry.ts';

/** A server block as queries meet it. */
export interface RoutedBlock {
  readonly zones: readonly Name[];
  readonly server: string;
  readonly ask: Next;
  readonly observe: (observation: Observation) => void;
  /** Has a plugin that answers questions of other classes than IN. */
  readonly takesAnyClass: boolean;
  /** No plugin of the block must see every query. */
  readonly allowsReuse: boolean;
}

export interface Route {
  readonly block: RoutedBlock;
  readonly zone: Name;
}

/** The zones of one listener. The longest zone that a name is in wins. */
export class Router {
  readonly #blocks = new Map<Name, RoutedBlock>();
  readonly takesAnyClass: boolean;

  constructor(blocks: readonly RoutedBlock[]) {
    for (const block of blocks) for (const zone of block.zones) this.#blocks.set(zone, block);
    this.takesAnyClass = blocks.some((block) => block.takesAnyClass);
  }

  /**
   * The block for a name in lower case. A DS record belongs to the parent side of a cut (RFC 4035, section 3.1.4.1), so for DS the apex's
   * own zone is used only when no zone above it is served.
   */
  find(name: Name, type: number): Route | undefined {
    let own: Route | undefined;
    for (let zone = name; ; zone = parentOf(zone)) {
      const block = this.#blocks.get(zone);
      if (block && (type !== TYPE.DS || zone !== name)) return { block, zone };
      if (block) own = { block, zone };
      if (zone === '.') return own;
    }
  }

  /** Asks the block that the query belongs to; refuses what no block serves. */
  async ask(query: Query): Promise<Outcome> {
    const route = this.find(query.name, query.type);
    if (!route) return failure('', 'REFUSED');
    return route.block.ask({ ...query, zone: route.zone });
  }
}
