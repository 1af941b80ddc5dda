/**
 * Which speakers are there, from heartbeats alone: no API server is asked, because it may have died with the node in question. A machine
 * without I/O.
 *
 * A silent speaker is not a dead node: its process may have been killed or be starved while its kernel goes on forwarding, and the kernel
 * says so when it answers an echo request or refuses our heartbeats ("port unreachable"). Such a node keeps its addresses for
 * `restartGraceMs`, because moving them would break the connections it carries.
 */
import type { Heartbeat } from './heartbeat.ts';

export interface MembershipTimings {
  readonly intervalMs: number;
  /** Silence after which a member is dead. */
  readonly deadMs: number;
  /** How long a node whose speaker is gone but whose kernel answers keeps its addresses. */
  readonly restartGraceMs: number;
  /** How long a member that was dead must be heard before it counts again. */
  readonly settleMs: number;
}

export const DEFAULT_TIMINGS: MembershipTimings = {
  intervalMs: 250,
  deadMs: 1000,
  restartGraceMs: 10_000,
  settleMs: 0,
};

/** 'unknown': too early to say, counts as alive. 'restarting': the process is gone, the node forwards; counts as alive. */
export type MemberState = 'unknown' | 'alive' | 'restarting' | 'dead' | 'left';

interface Member {
  state: MemberState;
  readonly knownSinceMs: number;
  heardMs: number | undefined;
  /** Start of the present run of heartbeats after it was dead or had left. */
  backSinceMs: number | undefined;
  /** When its kernel last gave a sign while the speaker was silent. */
  kernelMs: number | undefined;
  incarnation: number;
  sequence: number;
  /** Heartbeats of an earlier incarnation while the one we know is silent. */
  earlier: { readonly incarnation: number; readonly sinceMs: number; sequence: number; heardMs: number } | undefined;
}

/** How many times `deadMs` an earlier incarnation must be heard without a gap before it is believed. */
const EARLIER_BELIEVED_AFTER = 3;

export interface MemberChange {
  readonly node: string;
  readonly from: MemberState;
  readonly to: MemberState;
}

export interface MemberReport {
  readonly node: string;
  readonly state: MemberState;
  /** A heartbeat of it has ever reached us: its silence means something. */
  readonly heard: boolean;
}

export class Membership {
  readonly #timings: MembershipTimings;
  readonly #members = new Map<string, Member>();
  #sendAtMs: number | undefined;

  constructor(timings: MembershipTimings) {
    this.#timings = timings;
  }

  /** The other nodes that could be members. */
  configure(nodes: readonly string[], nowMs: number): void {
    this.#sendAtMs ??= nowMs;
    for (const node of this.#members.keys()) if (!nodes.includes(node)) this.#members.delete(node);
    for (const node of nodes) {
      if (this.#members.has(node)) continue;
      this.#members.set(node, {
        state: 'unknown',
        knownSinceMs: nowMs,
        heardMs: undefined,
        backSinceMs: undefined,
        kernelMs: undefined,
        incarnation: 0,
        sequence: -1,
        earlier: undefined,
      });
    }
  }

  /** True while a node may own addresses. A node that is not configured is not there. */
  isPresent(node: string): boolean {
    const state = this.stateOf(node);
    return state === 'alive' || state === 'unknown' || state === 'restarting';
  }

  stateOf(node: string): MemberState | undefined {
    return this.#members.get(node)?.state;
  }

  states(): MemberReport[] {
    return Array.from(this.#members, ([node, { state, heardMs }]) => ({ node, state, heard: heardMs !== undefined }));
  }

  /**
   * A heartbeat with a valid signature. Repeated and reordered ones are ignored. An earlier incarnation is believed only when the one we
   * know is silent and it goes on for a while: the sender was started again after its clock had been set back.
   */
  receive(heartbeat: Heartbeat, nowMs: number): MemberChange[] {
    const member = this.#members.get(heartbeat.node);
    if (!member) return [];
    const { incarnation, sequence } = heartbeat;
    const fresh =
      incarnation > member.incarnation || (incarnation === member.incarnation && sequence > member.sequence);
    if (!fresh && !this.#isSetBack(member, heartbeat, nowMs)) return [];
    member.earlier = undefined;
    member.incarnation = incarnation;
    member.sequence = sequence;
    member.kernelMs = undefined;
    if (heartbeat.kind === 'leave') {
      member.backSinceMs = undefined;
      return this.#change(heartbeat.node, member, 'left');
    }
    const wasGone = member.state === 'dead' || member.state === 'left';
    if (
      wasGone &&
      (member.backSinceMs === undefined ||
        member.heardMs === undefined ||
        nowMs - member.heardMs > this.#timings.deadMs)
    ) {
      member.backSinceMs = nowMs;
    }
    member.heardMs = nowMs;
    if (wasGone && nowMs - (member.backSinceMs ?? nowMs) < this.#timings.settleMs) return [];
    member.backSinceMs = undefined;
    return this.#change(heartbeat.node, member, 'alive');
  }

  #isSetBack(member: Member, { kind, incarnation, sequence }: Heartbeat, nowMs: number): boolean {
    const { deadMs } = this.#timings;
    const isSilent = nowMs - (member.heardMs ?? member.knownSinceMs) >= deadMs;
    if (kind !== 'alive' || incarnation >= member.incarnation || !isSilent) return false;
    const { earlier } = member;
    if (!earlier || earlier.incarnation !== incarnation || nowMs - earlier.heardMs >= deadMs) {
      member.earlier = { incarnation, sequence, sinceMs: nowMs, heardMs: nowMs };
      return false;
    }
    if (sequence <= earlier.sequence) return false;
    earlier.sequence = sequence;
    earlier.heardMs = nowMs;
    return nowMs - earlier.sinceMs >= EARLIER_BELIEVED_AFTER * deadMs;
  }

  /** The node's kernel answered, by an echo reply or by refusing a heartbeat. */
  kernelAnswered(node: string, nowMs: number): void {
    const member = this.#members.get(node);
    if (member) member.kernelMs = nowMs;
  }

  /** Members whose kernels should be asked now, because their speakers are silent. */
  suspects(nowMs: number): string[] {
    const { intervalMs } = this.#timings;
    return Array.from(this.#members)
      .filter(
        ([, { state, heardMs }]) =>
          (state === 'alive' || state === 'restarting') && nowMs - (heardMs ?? 0) > intervalMs * 1.5,
      )
      .map(([node]) => node);
  }

  /** What time has changed, and whether a round of heartbeats is due. */
  tick(nowMs: number): { readonly send: boolean; readonly changes: readonly MemberChange[] } {
    const changes: MemberChange[] = [];
    const { deadMs, restartGraceMs, intervalMs } = this.#timings;
    for (const [node, member] of this.#members) {
      if (member.state === 'dead' || member.state === 'left') continue;
      const silentMs = nowMs - (member.heardMs ?? member.knownSinceMs);
      if (silentMs < deadMs) continue;
      const kernelAnswers = member.kernelMs !== undefined && nowMs - member.kernelMs < deadMs;
      const wasHeard = member.heardMs !== undefined;
      const waits = kernelAnswers && silentMs < restartGraceMs;
      // A node of which nothing was ever heard has no addresses that it could keep.
      changes.push(...this.#change(node, member, waits && wasHeard ? 'restarting' : 'dead'));
    }
    const send = this.#sendAtMs !== undefined && nowMs >= this.#sendAtMs;
    if (send) this.#sendAtMs = nowMs + intervalMs;
    return { send, changes };
  }

  /** When `tick` is needed next. */
  nextMs(): number | undefined {
    let next = this.#sendAtMs;
    for (const member of this.#members.values()) {
      if (member.state === 'dead' || member.state === 'left' || member.state === 'restarting') continue;
      const dueMs = (member.heardMs ?? member.knownSinceMs) + this.#timings.deadMs;
      if (next === undefined || dueMs < next) next = dueMs;
    }
    return next;
  }

  #change(node: string, member: Member, to: MemberState): MemberChange[] {
    const from = member.state;
    if (from === to) return [];
    member.state = to;
    return [{ node, from, to }];
  }
}
