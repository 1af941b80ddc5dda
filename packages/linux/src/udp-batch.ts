import type { Ip } from '@ballast/base';
import koffi from 'koffi';
import {
  AF_INET,
  AF_INET6,
  bindSocket,
  closeFd,
  openSocket,
  POLLIN,
  SOCK_DGRAM,
  SOL_SOCKET,
  setSocketOption,
  socketName,
} from './libc-sockets.ts';
import { composeSocketAddress, parseSocketAddress } from './socket-address.ts';

const libc = koffi.load('libc.so.6');
const recvmmsg = libc.func(
  'int recvmmsg(int fd, _Inout_ void *messages, uint32_t count, int flags, const void *timeout)',
);
const sendmmsg = libc.func('int sendmmsg(int fd, _Inout_ void *messages, uint32_t count, int flags)');
const poll = libc.func('int poll(_Inout_ void *fds, uint64_t count, int timeout)');
const sendmsg = libc.func('int64_t sendmsg(int fd, const void *message, int flags)');

const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const MSG_TRUNC = 0x20;
const SO_RCVBUF = 8;
const SO_REUSEPORT = 15;
const IPPROTO_IP = 0;
const IP_PKTINFO = 8;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const IPV6_RECVPKTINFO = 49;

/** Sizes of struct mmsghdr, iovec, sockaddr_in6 and a control message with in6_pktinfo, on 64-bit Linux. */
const HEADER = 64;
const VECTOR = 16;
const ADDRESS = 28;
const CONTROL = 40;
/** Offsets in struct mmsghdr. */
const AT = {
  name: 0,
  nameLength: 8,
  vector: 16,
  vectorCount: 24,
  control: 32,
  controlLength: 40,
  flags: 48,
  length: 56,
} as const;

const NOTHING = { hasDatagrams: false, isWoken: false } as const;

export interface UdpSocketOptions {
  readonly ip: Ip;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Other sockets that set this too share the port; the kernel spreads clients over them. */
  readonly reusePort?: boolean;
  readonly receiveBufferOctets?: number;
}

/** Opens a UDP socket for UdpBatch; a SystemCallError ('EADDRINUSE', 'EACCES', ...) says why it cannot. */
export function openUdpSocket(options: UdpSocketOptions): { readonly fd: number; readonly port: number } {
  const { ip } = options;
  const fd = openSocket({ domain: ip.family === 4 ? AF_INET : AF_INET6, type: SOCK_DGRAM });
  try {
    if (ip.family === 6) setSocketOption(fd, { level: IPPROTO_IPV6, name: IPV6_V6ONLY, value: 1 });
    if (options.reusePort) setSocketOption(fd, { level: SOL_SOCKET, name: SO_REUSEPORT, value: 1 });
    if (options.receiveBufferOctets !== undefined) {
      setSocketOption(fd, { level: SOL_SOCKET, name: SO_RCVBUF, value: options.receiveBufferOctets });
    }
    // On a wildcard address an answer must come from the address that was asked, which only the packet knows.
    if (ip.value === 0n && ip.family === 4) setSocketOption(fd, { level: IPPROTO_IP, name: IP_PKTINFO, value: 1 });
    if (ip.value === 0n && ip.family === 6)
      setSocketOption(fd, { level: IPPROTO_IPV6, name: IPV6_RECVPKTINFO, value: 1 });
    bindSocket(fd, composeSocketAddress(options));
    return { fd, port: parseSocketAddress(socketName(fd))?.port ?? options.port };
  } catch (error) {
    closeFd(fd);
    throw error;
  }
}

/** Where a datagram came from and which address of ours it went to, as the kernel gave it: enough to answer it later. */
export interface DatagramOrigin {
  /** sockaddr of the sender. */
  readonly from: Buffer;
  /** Control message that makes an answer come from the right address; empty for sockets bound to one address. */
  readonly control: Buffer;
}

/**
 * Receives and answers datagrams in batches: one system call for up to `slots` of them each way (recvmmsg(2), sendmmsg(2)). Use from one
 * thread. All memory is allocated once and named by the kernel's structures through addresses, so every Buffer stays a field here.
 */
export class UdpBatch {
  readonly slots: number;
  readonly #fd: number;
  readonly #input: Buffer;
  readonly #inputStride: number;
  readonly #output: Buffer;
  readonly #outputStride: number;
  readonly #names: Buffer;
  readonly #controls: Buffer;
  readonly #received: Buffer;
  readonly #sent: Buffer;
  readonly #vectors: Buffer;
  readonly #receivedView: DataView;
  readonly #sentView: DataView;
  readonly #vectorsView: DataView;
  /** Two struct pollfd: the socket, and the descriptor that wakes. */
  readonly #polled = Buffer.alloc(128);
  readonly #polledView = viewOf(this.#polled);
  /** Slots whose lengths the kernel has overwritten. */
  #used = 0;
  /** Answers that wait for `flush`. */
  #queued = 0;

  constructor(fd: number, options: { slots?: number; inputOctets?: number; outputOctets?: number } = {}) {
    this.#fd = fd;
    this.slots = options.slots ?? 64;
    this.#inputStride = options.inputOctets ?? 2048;
    this.#outputStride = options.outputOctets ?? 1536;
    this.#input = Buffer.alloc(this.slots * this.#inputStride);
    this.#output = Buffer.alloc(this.slots * this.#outputStride);
    this.#names = Buffer.alloc(this.slots * ADDRESS);
    this.#controls = Buffer.alloc(this.slots * CONTROL);
    this.#received = Buffer.alloc(this.slots * HEADER);
    this.#sent = Buffer.alloc(this.slots * HEADER);
    // Input vectors first, then those of the output.
    this.#vectors = Buffer.alloc(2 * this.slots * VECTOR);
    this.#receivedView = viewOf(this.#received);
    this.#sentView = viewOf(this.#sent);
    this.#vectorsView = viewOf(this.#vectors);
    this.#layOut();
  }

  /** Memory of all received datagrams; that of slot i begins at `inputOffset(i)`. */
  get input(): Buffer {
    return this.#input;
  }

  get output(): Buffer {
    return this.#output;
  }

  /** Longest answer that fits a slot. */
  get outputOctets(): number {
    return this.#outputStride;
  }

  inputOffset(slot: number): number {
    return slot * this.#inputStride;
  }

  /** Takes what has arrived into slots 0 to n-1 and returns n; 0 when nothing waits. Overwrites what was received before. */
  receive(): number {
    for (let slot = 0; slot < this.#used; slot++) {
      this.#receivedView.setUint32(slot * HEADER + AT.nameLength, ADDRESS, true);
      this.#receivedView.setUint32(slot * HEADER + AT.controlLength, CONTROL, true);
    }
    const count: number = recvmmsg(this.#fd, this.#received, this.slots, MSG_DONTWAIT, null);
    // An ICMP error of an earlier answer shows here; it concerns nobody who asks now.
    this.#used = Math.max(count, 0);
    return this.#used;
  }

  /** Waits up to `timeoutMs` until a datagram has come or `wakeFd` was written to, and says which. Blocks the thread. */
  wait(wakeFd: number, timeoutMs: number): { readonly hasDatagrams: boolean; readonly isWoken: boolean } {
    this.#polledView.setInt32(0, this.#fd, true);
    this.#polledView.setInt32(4, POLLIN, true);
    this.#polledView.setInt32(8, wakeFd, true);
    this.#polledView.setInt32(12, POLLIN, true);
    const count: number = poll(this.#polled, 2, timeoutMs);
    if (count <= 0) return NOTHING;
    return {
      hasDatagrams: this.#polledView.getInt16(6, true) !== 0,
      isWoken: this.#polledView.getInt16(14, true) !== 0,
    };
  }

  /** Octets in a slot; 0 for a datagram that was longer than a slot. */
  inputLength(slot: number): number {
    const at = slot * HEADER;
    const isCut = (this.#receivedView.getInt32(at + AT.flags, true) & MSG_TRUNC) !== 0;
    return isCut ? 0 : this.#receivedView.getUint32(at + AT.length, true);
  }

  /** Copies of what is needed to answer a slot after the next `receive`. */
  origin(slot: number): DatagramOrigin {
    const nameLength = this.#receivedView.getUint32(slot * HEADER + AT.nameLength, true);
    const controlLength = this.#receivedView.getUint32(slot * HEADER + AT.controlLength, true);
    const at = { name: slot * ADDRESS, control: slot * CONTROL };
    return {
      from: Buffer.from(this.#names.subarray(at.name, at.name + nameLength)),
      control: Buffer.from(this.#controls.subarray(at.control, at.control + controlLength)),
    };
  }

  /** Reserves room for an answer to a received slot and returns where in `output` to write its `length` octets. */
  queue(slot: number, length: number): number {
    const index = this.#queued++;
    const from = slot * HEADER;
    const to = index * HEADER;
    this.#sentView.setBigUint64(to + AT.name, this.#receivedView.getBigUint64(from + AT.name, true), true);
    this.#sentView.setUint32(to + AT.nameLength, this.#receivedView.getUint32(from + AT.nameLength, true), true);
    const controlLength = this.#receivedView.getUint32(from + AT.controlLength, true);
    const control = controlLength > 0 ? this.#receivedView.getBigUint64(from + AT.control, true) : 0n;
    this.#sentView.setBigUint64(to + AT.control, control, true);
    this.#sentView.setUint32(to + AT.controlLength, controlLength, true);
    this.#vectorsView.setUint32((this.slots + index) * VECTOR + 8, length, true);
    return index * this.#outputStride;
  }

  /** Sends what was queued. What the kernel does not take is lost, as any datagram may be. */
  flush(): void {
    let sent = 0;
    while (sent < this.#queued) {
      const rest = sent === 0 ? this.#sent : this.#sent.subarray(sent * HEADER);
      const count: number = sendmmsg(this.#fd, rest, this.#queued - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
      // A failure concerns the first of the rest only.
      sent += count > 0 ? count : 1;
    }
    this.#queued = 0;
  }

  #layOut(): void {
    this.#used = this.slots;
    const [input, output] = [koffi.address(this.#input), koffi.address(this.#output)].map(BigInt);
    const [names, controls, vectors] = [this.#names, this.#controls, this.#vectors].map((b) =>
      BigInt(koffi.address(b)),
    );
    for (let slot = 0; slot < this.slots; slot++) {
      const at = slot * HEADER;
      const vector = (vectors ?? 0n) + BigInt(slot * VECTOR);
      this.#receivedView.setBigUint64(at + AT.name, (names ?? 0n) + BigInt(slot * ADDRESS), true);
      this.#receivedView.setBigUint64(at + AT.vector, vector, true);
      this.#receivedView.setBigUint64(at + AT.vectorCount, 1n, true);
      this.#receivedView.setBigUint64(at + AT.control, (controls ?? 0n) + BigInt(slot * CONTROL), true);
      this.#vectorsView.setBigUint64(slot * VECTOR, (input ?? 0n) + BigInt(slot * this.#inputStride), true);
      this.#vectorsView.setBigUint64(slot * VECTOR + 8, BigInt(this.#inputStride), true);
      this.#sentView.setBigUint64(at + AT.vector, vector + BigInt(this.slots * VECTOR), true);
      this.#sentView.setBigUint64(at + AT.vectorCount, 1n, true);
      const out = (this.slots + slot) * VECTOR;
      this.#vectorsView.setBigUint64(out, (output ?? 0n) + BigInt(slot * this.#outputStride), true);
    }
  }
}

/** Sends one datagram to where another came from, from the address that one went to. False when the kernel does not take it. */
export function answerDatagram(fd: number, bytes: Uint8Array, { from, control }: DatagramOrigin): boolean {
  // One block, so that one address names everything: header, vector, name, control, then the octets.
  const at = {
    vector: HEADER,
    name: HEADER + VECTOR,
    control: HEADER + VECTOR + 32,
    bytes: HEADER + VECTOR + 32 + CONTROL,
  };
  const block = Buffer.alloc(at.bytes + bytes.length);
  const view = viewOf(block);
  const base = BigInt(koffi.address(block));
  block.set(from, at.name);
  block.set(control, at.control);
  block.set(bytes, at.bytes);
  view.setBigUint64(AT.name, base + BigInt(at.name), true);
  view.setUint32(AT.nameLength, from.length, true);
  view.setBigUint64(AT.vector, base + BigInt(at.vector), true);
  view.setBigUint64(AT.vectorCount, 1n, true);
  if (control.length > 0) {
    view.setBigUint64(AT.control, base + BigInt(at.control), true);
    view.setBigUint64(AT.controlLength, BigInt(control.length), true);
  }
  view.setBigUint64(at.vector, base + BigInt(at.bytes), true);
  view.setBigUint64(at.vector + 8, BigInt(bytes.length), true);
  const sent: number = sendmsg(fd, block, MSG_DONTWAIT | MSG_NOSIGNAL);
  return sent >= 0;
}

/** True where the structures above are laid out as this file says. */
export function supportsUdpBatch(): boolean {
  return process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64');
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.length);
}
