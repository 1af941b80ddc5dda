import type { BpfInstruction } from '@ballast/linux';

/** What the kernel lets through to us, as classic BPF: all else costs no wake-up. Offsets count from the Ethernet header. */
const LOAD_HALF = 0x28;
const LOAD_BYTE = 0x30;
const JUMP_EQUAL = 0x15;
const JUMP_GREATER_OR_EQUAL = 0x35;
const RETURN = 0x06;
const ALL_BYTES = 0xffff;

const load = (code: number, k: number): BpfInstruction => ({ code, jt: 0, jf: 0, k });
const jump = (code: number, k: number, jt: number, jf: number): BpfInstruction => ({ code, jt, jf, k });
const give = (bytes: number): BpfInstruction => ({ code: RETURN, jt: 0, jf: 0, k: bytes });

/** ARP packets. */
export const ARP_FILTER: readonly BpfInstruction[] = [
  load(LOAD_HALF, 12),
  jump(JUMP_EQUAL, 0x0806, 0, 1),
  give(ALL_BYTES),
  give(0),
];

/** Neighbor solicitations and advertisements: IPv6, next header ICMPv6, type 135 or 136. */
export const NDP_FILTER: readonly BpfInstruction[] = [
  load(LOAD_HALF, 12),
  jump(JUMP_EQUAL, 0x86dd, 0, 6),
  load(LOAD_BYTE, 20),
  jump(JUMP_EQUAL, 58, 0, 4),
  load(LOAD_BYTE, 54),
  jump(JUMP_GREATER_OR_EQUAL, 135, 0, 2),
  jump(JUMP_GREATER_OR_EQUAL, 137, 1, 0),
  give(ALL_BYTES),
  give(0),
];
