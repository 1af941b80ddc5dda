import koffi from 'koffi';
import {
  AF_INET6,
  AF_PACKET,
  bindSocket,
  closeFd,
  openSocket,
  receiveFrom,
  SOCK_DGRAM,
  SOCK_RAW,
  SOL_SOCKET,
  sendTo,
  setSocketOption,
} from './libc-sockets.ts';
import { composePacketAddress } from './socket-address.ts';

/** One instruction of a classic BPF program (struct sock_filter). */
export interface BpfInstruction {
  readonly code: number;
  readonly jt: number;
  readonly jf: number;
  readonly k: number;
}

const SO_ATTACH_FILTER = 26;
const SOL_PACKET = 263;
const PACKET_ADD_MEMBERSHIP = 1;
const PACKET_MR_MULTICAST = 0;
const IPPROTO_IPV6 = 41;
const IPV6_JOIN_GROUP = 20;
const IPV6_LEAVE_GROUP = 21;
const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const MAX_FRAME_BYTES = 2048;

/** Whole Ethernet frames of one interface, as far as a BPF program lets them through. Non-blocking; poll `fd`. */
export class PacketSocket implements Disposable {
  readonly fd: number;
  readonly #index: number;
  readonly #address: Buffer;
  readonly #scratch = Buffer.alloc(MAX_FRAME_BYTES);
  #groupFd: number | undefined;

  /** `protocol` is an EtherType, for example 0x0806; 0x0003 receives all. The filter is in place before the first frame is. */
  constructor(options: {
    readonly interfaceIndex: number;
    readonly protocol: number;
    readonly filter: readonly BpfInstruction[];
  }) {
    this.#index = options.interfaceIndex;
    this.#address = composePacketAddress(options);
    this.fd = openSocket({ domain: AF_PACKET, type: SOCK_RAW });
    try {
      attachFilter(this.fd, options.filter);
      bindSocket(this.fd, this.#address);
    } catch (error) {
      closeFd(this.fd);
      throw error;
    }
  }

  /** The next frame, or undefined when none waits. Throws SystemCallError ('ENETDOWN') when the interface went down. */
  receive(): Buffer | undefined {
    return receiveFrom(this.fd, this.#scratch)?.bytes;
  }

  send(frame: Uint8Array): boolean {
    return sendTo(this.fd, frame, this.#address);
  }

  /** Makes the interface accept frames for a multicast hardware address, as long as the socket lives. */
  acceptMulticast(mac: Uint8Array): void {
    const request = Buffer.alloc(16);
    const view = new DataView(request.buffer, request.byteOffset);
    view.setInt32(0, this.#index, LITTLE_ENDIAN);
    view.setUint16(4, PACKET_MR_MULTICAST, LITTLE_ENDIAN);
    view.setUint16(6, mac.length, LITTLE_ENDIAN);
    request.set(mac, 8);
    setSocketOption(this.fd, { level: SOL_PACKET, name: PACKET_ADD_MEMBERSHIP, value: request });
  }

  /** Joins an IPv6 multicast group, so that the kernel reports it (MLD) and snooping switches deliver it. */
  joinGroup(group: Uint8Array): void {
    this.#groupFd ??= openSocket({ domain: AF_INET6, type: SOCK_DGRAM });
    setSocketOption(this.#groupFd, { level: IPPROTO_IPV6, name: IPV6_JOIN_GROUP, value: this.#groupRequest(group) });
  }

  leaveGroup(group: Uint8Array): void {
    if (this.#groupFd === undefined) return;
    setSocketOption(this.#groupFd, { level: IPPROTO_IPV6, name: IPV6_LEAVE_GROUP, value: this.#groupRequest(group) });
  }

  #groupRequest(group: Uint8Array): Buffer {
    const request = Buffer.alloc(20);
    request.set(group);
    new DataView(request.buffer, request.byteOffset).setInt32(16, this.#index, LITTLE_ENDIAN);
    return request;
  }

  [Symbol.dispose](): void {
    closeFd(this.fd);
    if (this.#groupFd !== undefined) closeFd(this.#groupFd);
  }
}

function attachFilter(fd: number, program: readonly BpfInstruction[]): void {
  const instructions = Buffer.alloc(program.length * 8);
  const view = new DataView(instructions.buffer, instructions.byteOffset);
  for (const [i, { code, jt, jf, k }] of program.entries()) {
    view.setUint16(i * 8, code, LITTLE_ENDIAN);
    view.setUint8(i * 8 + 2, jt);
    view.setUint8(i * 8 + 3, jf);
    view.setUint32(i * 8 + 4, k, LITTLE_ENDIAN);
  }
  // struct sock_fprog: a count, padding, and a pointer; the kernel copies the program during the call.
  const header = Buffer.alloc(16);
  const headerView = new DataView(header.buffer, header.byteOffset);
  headerView.setUint16(0, program.length, LITTLE_ENDIAN);
  headerView.setBigUint64(8, BigInt(koffi.address(instructions)), LITTLE_ENDIAN);
  setSocketOption(fd, { level: SOL_SOCKET, name: SO_ATTACH_FILTER, value: header });
}
