/*
 * The program of the sandbox container, written as machine code so that the first pod needs no download and no compiler. In C:
 *
 *   sigaction(SIGTERM, exit with 0); sigaction(SIGINT, exit with 0);
 *   sigaction(SIGCHLD, SIG_IGN);      // the kernel then reaps children, which matters with shareProcessNamespace
 *   for (;;) pause();
 *
 * A handler is needed because the kernel drops signals with the default action for the first process of a PID namespace.
 */

/** CPU architectures by the names OCI uses. */
export type Architecture = 'amd64' | 'arm64';

const LOAD_ADDRESS = 0x400000;
const ELF_HEADER_SIZE = 64;
const PROGRAM_HEADER_SIZE = 56;
/** The kernel's struct sigaction: handler, flags, restorer, mask; eight bytes each on both architectures. */
const SIGACTION_SIZE = 32;
const SA_RESTORER = 0x0400_0000n;
const SIG_IGN = 1n;
const SIGNALS = { SIGINT: 2, SIGTERM: 15, SIGCHLD: 17 } as const;
const ELF_MACHINE: Record<Architecture, number> = { amd64: 62, arm64: 183 };

interface Code {
  readonly bytes: Buffer;
  /** Offset of the signal handler in `bytes`. */
  readonly exitOffset: number;
}

const le32 = (value: number) => [value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, (value >>> 24) & 0xff];

function amd64Code(onExit: number, ignore: number): Code {
  const syscall = [0x0f, 0x05];
  const movEax = (value: number) => [0xb8, ...le32(value)];
  const sigaction = (signal: number, action: number) => [
    ...[0xbf, ...le32(signal)], // mov edi, signal
    ...[0xbe, ...le32(action)], // mov esi, action
    ...[0x31, 0xd2], // xor edx, edx
    ...[0x41, 0xba, ...le32(8)], // mov r10d, 8 (bytes of the signal mask)
    ...movEax(13), // rt_sigaction
    ...syscall,
  ];
  const setUp = [
    ...sigaction(SIGNALS.SIGTERM, onExit),
    ...sigaction(SIGNALS.SIGINT, onExit),
    ...sigaction(SIGNALS.SIGCHLD, ignore),
  ];
  const pause = [...movEax(34), ...syscall];
  const loop = [...pause, 0xeb, 0x100 - (pause.length + 2)]; // jmp back to the call
  const exit = [0x31, 0xff, ...movEax(231), ...syscall]; // xor edi, edi; exit_group
  return { bytes: Buffer.from([...setUp, ...loop, ...exit]), exitOffset: setUp.length + loop.length };
}

function arm64Code(onExit: number, ignore: number): Code {
  const movz = (register: number, value: number) => 0xd2800000 | ((value & 0xffff) << 5) | register;
  const movkHigh = (register: number, value: number) => 0xf2a00000 | ((value >>> 16) << 5) | register;
  const svc = 0xd4000001;
  const branchBack = (instructions: number) => 0x14000000 | (-instructions & 0x03ff_ffff);
  const sigaction = (signal: number, action: number) => [
    movz(0, signal),
    movz(1, action),
    movkHigh(1, action),
    movz(2, 0),
    movz(3, 8),
    movz(8, 134), // rt_sigaction
    svc,
  ];
  const setUp = [
    ...sigaction(SIGNALS.SIGTERM, onExit),
    ...sigaction(SIGNALS.SIGINT, onExit),
    ...sigaction(SIGNALS.SIGCHLD, ignore),
  ];
  const ppoll = [0, 1, 2, 3, 4].map((register) => movz(register, 0)).concat(movz(8, 73), svc); // there is no pause call
  const loop = [...ppoll, branchBack(ppoll.length)];
  const exit = [movz(0, 0), movz(8, 94), svc]; // exit_group
  const words = [...setUp, ...loop, ...exit];
  return { bytes: Buffer.from(words.flatMap((word) => le32(word))), exitOffset: (setUp.length + loop.length) * 4 };
}

/** The sandbox program as a static ELF executable of a few hundred bytes. */
export function buildPauseElf(architecture: Architecture): Buffer {
  const write = architecture === 'amd64' ? amd64Code : arm64Code;
  const actionsOffset = ELF_HEADER_SIZE + PROGRAM_HEADER_SIZE;
  const codeOffset = actionsOffset + 2 * SIGACTION_SIZE;
  const onExit = LOAD_ADDRESS + actionsOffset;
  const code = write(onExit, onExit + SIGACTION_SIZE);
  const size = codeOffset + code.bytes.length;
  const elf = Buffer.alloc(size);

  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // magic, 64 bit, little endian, version
  elf.writeUInt16LE(2, 16); // executable
  elf.writeUInt16LE(ELF_MACHINE[architecture], 18);
  elf.writeUInt32LE(1, 20);
  elf.writeBigUInt64LE(BigInt(LOAD_ADDRESS + codeOffset), 24); // entry point
  elf.writeBigUInt64LE(BigInt(ELF_HEADER_SIZE), 32); // program headers
  elf.writeUInt16LE(ELF_HEADER_SIZE, 52);
  elf.writeUInt16LE(PROGRAM_HEADER_SIZE, 54);
  elf.writeUInt16LE(1, 56); // one program header

  const program = elf.subarray(ELF_HEADER_SIZE);
  program.writeUInt32LE(1, 0); // load
  program.writeUInt32LE(5, 4); // read and execute
  program.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 16);
  program.writeBigUInt64LE(BigInt(LOAD_ADDRESS), 24);
  program.writeBigUInt64LE(BigInt(size), 32);
  program.writeBigUInt64LE(BigInt(size), 40);
  program.writeBigUInt64LE(0x10000n, 48); // alignment: the largest page size of either architecture

  const exitHandler = BigInt(LOAD_ADDRESS + codeOffset + code.exitOffset);
  elf.writeBigUInt64LE(exitHandler, actionsOffset);
  elf.writeBigUInt64LE(SA_RESTORER, actionsOffset + 8);
  elf.writeBigUInt64LE(exitHandler, actionsOffset + 16);
  elf.writeBigUInt64LE(SIG_IGN, actionsOffset + SIGACTION_SIZE);
  code.bytes.copy(elf, codeOffset);
  return elf;
}
