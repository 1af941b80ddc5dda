import type { Peer, Protocol } from '../chain/query.ts';
import type { Name } from '../wire/name.ts';

/** What goes back to a client. */
export interface WireAnswer {
  readonly bytes: Uint8Array;
  /** Set when a transport may give the same bytes to the same question again, with the id set and the TTLs aged. */
  readonly reusable?: {
    readonly reusableMs: number;
    /** The addresses in it may come in any order. */
    readonly mayRotate: boolean;
    /** Lower case: what `forgetBelow` goes by. */
    readonly name: Name;
    /** Which account repeated answers are reported on; see reuse-ledger.ts. */
    readonly tally: string;
  };
}

/** Answers one message; undefined sends nothing. Never rejects. */
export type Responder = (bytes: Uint8Array, peer: Peer, protocol: Protocol) => Promise<WireAnswer | undefined>;

export interface ListenAt {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

/** A socket, or several, on which queries arrive. */
export interface Transport {
  readonly protocol: Protocol;
  readonly address: ListenAt;
  /** Forgets what it might repeat of these names and of those below them; '.' is everything. */
  forgetBelow?(names: readonly Name[]): void;
  /** Stops taking queries; those that were taken are still answered until `close`. */
  close(): Promise<void>;
}

/** Opens a transport; a BallastError 'address-in-use' or 'address-unusable' says why it cannot. */
export type OpenTransport = (options: { at: ListenAt; respond: Responder }) => Promise<Transport>;

/** '::ffff:192.0.2.1' as '192.0.2.1'. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}
