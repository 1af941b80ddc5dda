import type { Observation } from '../chain/plugin.ts';
import type { RoutedBlock } from './router.ts';

/**
 * Accounts for answers that a transport repeats by itself. Each is filed under what the counters tell apart (block, zone, protocol,
 * family, type, code), so the ledger stays small; the size and time of the first answer of a kind stand for all of it.
 */
export class ReuseLedger {
  readonly #accounts = new Map<string, { readonly observation: Observation; readonly block: RoutedBlock }>();

  /** Files an answer and returns the name of its account. */
  open(observation: Observation, block: RoutedBlock): string {
    const { query, outcome } = observation;
    const rcode = outcome.kind === 'reply' ? outcome.message.rcode : -1;
    const family = query.client.address.includes(':') ? 6 : 4;
    const dnssecOk = query.request.edns?.dnssecOk ? 1 : 0;
    const tally = [block.server, query.zone, query.protocol, family, query.type, rcode, dnssecOk].join(' ');
    const known = this.#accounts.get(tally);
    // After a reload the same account belongs to the new block.
    if (known?.block !== block) {
      this.#accounts.set(tally, { observation: { ...observation, outcome: reused(outcome), seconds: 5e-6 }, block });
    }
    return tally;
  }

  /** Adds answers that were given again. */
  add(tally: string, times: number): void {
    const account = this.#accounts.get(tally);
    if (account) account.block.observe({ ...account.observation, times, reused: true });
  }
}

function reused(outcome: Observation['outcome']): Observation['outcome'] {
  return outcome.kind === 'reply' ? { ...outcome, plugin: 'cache' } : outcome;
}
