import { BallastError } from '@ballast/base';
import {
  closeFd,
  errnoName,
  openSocket,
  receiveFrom,
  SOCK_RAW,
  SOL_SOCKET,
  sendTo,
  setSocketOption,
} from './libc-sockets.ts';
import {
  type NetlinkMessage,
  NetlinkWriter,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  parseMessages,
} from './netlink-message.ts';

const AF_NETLINK = 16;
const NETLINK_NETFILTER = 12;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
const NLM_F_DUMP_INTR = 0x10;
const BATCH_BEGIN = 0x10;
const BATCH_END = 0x11;
export const NFNL_SUBSYS_NFTABLES = 10;

const SEND_BUFFER_BYTES = 256 * 1024 * 1024;
const RECEIVE_BUFFER_BYTES = 16 * 1024 * 1024;
const RECEIVE_CHUNK_BYTES = 256 * 1024;

/** What the kernel answered to a request; `errno` is its name ('ENOENT', 'EEXIST', 'EPERM', ...). */
export class NetfilterError extends BallastError<'netfilter-refused'> {
  readonly errno: string;

  constructor(what: string, errno: string) {
    super('netfilter-refused', `${what}: ${errno}`);
    this.errno = errno;
  }
}

/** A message of a batch: its type within the subsystem, its flags, and what writes its attributes. */
export interface BatchMessage {
  readonly type: number;
  readonly flags: number;
  /** NFPROTO_IPV4 = 2, NFPROTO_IPV6 = 10. */
  readonly protocolFamily: number;
  readonly attributes: (writer: NetlinkWriter) => void;
}

/**
 * A socket to nf_tables in the network namespace in which it was opened. Calls block the thread for as long as the kernel works, some
 * microseconds for each element; it belongs to one user at a time.
 */
export class NetfilterSocket implements Disposable {
  readonly #fd: number;
  readonly #scratch = Buffer.allocUnsafe(RECEIVE_CHUNK_BYTES);
  #sequence = 1;

  constructor() {
    this.#fd = openSocket({ domain: AF_NETLINK, type: SOCK_RAW, protocol: NETLINK_NETFILTER });
    try {
      setSocketOption(this.#fd, { level: SOL_SOCKET, name: SO_SNDBUFFORCE, value: SEND_BUFFER_BYTES });
      setSocketOption(this.#fd, { level: SOL_SOCKET, name: SO_RCVBUFFORCE, value: RECEIVE_BUFFER_BYTES });
    } catch (error) {
      closeFd(this.#fd);
      throw error;
    }
  }

  [Symbol.dispose](): void {
    closeFd(this.#fd);
  }

  /** Applies these messages as one transaction: all or nothing. */
  commit(messages: readonly BatchMessage[]): void {
    if (messages.length === 0) return;
    const writer = new NetlinkWriter();
    const first = this.#sequence;
    const bracket = (type: number) =>
      writer.message({ type, flags: NLM_F_REQUEST, sequence: this.#sequence++ }, () =>
        writer.raw(familyHeader(0, NFNL_SUBSYS_NFTABLES)),
      );
    bracket(BATCH_BEGIN);
    for (const [i, { type, flags, protocolFamily, attributes }] of messages.entries()) {
      // One acknowledgement is enough: it comes only when the whole batch was committed.
      const ack = i === messages.length - 1 ? NLM_F_ACK : 0;
      const header = { type: (NFNL_SUBSYS_NFTABLES << 8) | type, flags: NLM_F_REQUEST | flags | ack };
      writer.message({ ...header, sequence: this.#sequence++ }, () => {
        writer.raw(familyHeader(protocolFamily, 0));
        attributes(writer);
      });
    }
    const last = this.#sequence - 1;
    bracket(BATCH_END);
    this.#drain();
    if (!sendTo(this.#fd, writer.bytes, KERNEL)) {
      throw new NetfilterError('the transaction did not fit into the socket', 'ENOBUFS');
    }
    this.#awaitAck(first, last);
  }

  /** Asks for a listing and hands each message of the answer to `take`. */
  dump(request: BatchMessage, take: (payload: Buffer) => void): void {
    this.#request(request, NLM_F_DUMP);
    for (;;) {
      for (const message of this.#receive()) {
        // Somebody changed what was being listed: the listing is a mixture of before and after.
        if (message.flags & NLM_F_DUMP_INTR) throw new NetfilterError('listing', 'EINTR');
        if (message.type === NLMSG_DONE) {
          // A listing that broke off ends with an error; what came before it is not all there is.
          const errno = message.payload.length >= 4 ? -message.payload.readInt32LE(0) : 0;
          if (errno > 0) throw new NetfilterError('listing', errnoName(errno));
          return;
        }
        throwIfError(message, 'listing');
        if (message.type !== NLMSG_ERROR) take(message.payload.subarray(4));
      }
    }
  }

  /** Asks for one thing; the attributes of the answer. */
  ask(request: BatchMessage): Buffer {
    this.#request(request, 0);
    for (const message of this.#receive()) {
      throwIfError(message, 'query');
      if (message.type !== NLMSG_ERROR) return message.payload.subarray(4);
    }
    throw new NetfilterError('query', 'ENODATA');
  }

  #request({ type, flags, protocolFamily, attributes }: BatchMessage, more: number): void {
    const writer = new NetlinkWriter();
    const header = { type: (NFNL_SUBSYS_NFTABLES << 8) | type, flags: NLM_F_REQUEST | flags | more };
    writer.message({ ...header, sequence: this.#sequence++ }, () => {
      writer.raw(familyHeader(protocolFamily, 0));
      attributes(writer);
    });
    this.#drain();
    sendTo(this.#fd, writer.bytes, KERNEL);
  }

  /** The kernel answers while it is being asked, so what there is to receive is there when the send returns. */
  #receive(): NetlinkMessage[] {
    const datagram = receiveFrom(this.#fd, this.#scratch);
    if (!datagram) throw new NetfilterError('no answer', 'ENODATA');
    return parseMessages(datagram.bytes);
  }

  #awaitAck(first: number, last: number): void {
    let acknowledged = false;
    for (;;) {
      const datagram = receiveFrom(this.#fd, this.#scratch);
      if (!datagram) break;
      for (const message of parseMessages(datagram.bytes)) {
        if (message.sequence < first || message.sequence > last + 1) continue;
        throwIfError(message, `message ${message.sequence - first} of ${last - first} in the transaction`);
        if (message.sequence === last) acknowledged = true;
      }
    }
    if (!acknowledged) throw new NetfilterError('the transaction was not acknowledged', 'ENODATA');
  }

  /** Late answers to a request that was given up must not be taken for those of the next. */
  #drain(): void {
    while (receiveFrom(this.#fd, this.#scratch));
  }
}

/** struct sockaddr_nl of the kernel. */
const KERNEL = Buffer.alloc(12);
KERNEL.writeUInt16LE(AF_NETLINK, 0);

/** struct nfgenmsg: family, version, resource. */
function familyHeader(family: number, resource: number): Buffer {
  return Buffer.from([family, 0, resource >> 8, resource & 255]);
}

function throwIfError(message: NetlinkMessage, what: string): void {
  if (message.type !== NLMSG_ERROR) return;
  const errno = -message.payload.readInt32LE(0);
  if (errno !== 0) throw new NetfilterError(what, errnoName(errno));
}
