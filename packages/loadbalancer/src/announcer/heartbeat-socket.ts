import { formatIp, type Ip } from '@ballast/base';
import {
  AF_INET,
  AF_INET6,
  bindSocket,
  closeFd,
  composeSocketAddress,
  openSocket,
  parseSocketAddress,
  receiveError,
  receiveFrom,
  SOCK_DGRAM,
  SystemCallError,
  sendTo,
  setSocketOption,
} from '@ballast/linux';

const IPPROTO_IP = 0;
const IP_RECVERR = 11;
const IPPROTO_IPV6 = 41;
const IPV6_RECVERR = 25;
const IP_TOS = 1;
const IPV6_TCLASS = 67;
/** Network control: heartbeats must not wait behind bulk traffic. */
const DSCP_CS6 = 0xc0;
const ECONNREFUSED = 111;
const MAX_DATAGRAM_BYTES = 512;

/** The UDP socket of heartbeats. Reports not only datagrams but also which hosts refused ours. */
export class HeartbeatSocket implements Disposable {
  readonly fd: number;
  readonly #port: number;
  readonly #scratch = Buffer.alloc(MAX_DATAGRAM_BYTES);

  constructor(options: { readonly address: Ip; readonly port: number }) {
    const { address, port } = options;
    this.#port = port;
    this.fd = openSocket({ domain: address.family === 4 ? AF_INET : AF_INET6, type: SOCK_DGRAM });
    try {
      const [level, error, tos] =
        address.family === 4 ? [IPPROTO_IP, IP_RECVERR, IP_TOS] : [IPPROTO_IPV6, IPV6_RECVERR, IPV6_TCLASS];
      setSocketOption(this.fd, { level, name: error, value: 1 });
      setSocketOption(this.fd, { level, name: tos, value: DSCP_CS6 });
      bindSocket(this.fd, composeSocketAddress({ ip: address, port }));
    } catch (error) {
      closeFd(this.fd);
      throw error;
    }
  }

  send(to: Ip, bytes: Uint8Array): void {
    try {
      sendTo(this.fd, bytes, composeSocketAddress({ ip: to, port: this.#port }));
    } catch (error) {
      // An unreachable host (or an error of an earlier datagram, reported here) is what heartbeats are there to find out.
      if (!(error instanceof SystemCallError)) throw error;
    }
  }

  /** The next datagram; undefined when none waits. */
  receive(): { readonly bytes: Uint8Array } | undefined {
    for (let attempt = 0; attempt < 8; attempt++) {
      try {
        return receiveFrom(this.fd, this.#scratch);
      } catch (error) {
        // A pending error is reported once here too, and must not hide the datagrams behind it.
        if (!(error instanceof SystemCallError)) throw error;
      }
    }
    return undefined;
  }

  /** Addresses of hosts that answered "port unreachable" since the last call. */
  refusals(): string[] {
    const hosts: string[] = [];
    for (let entry = receiveError(this.fd); entry; entry = receiveError(this.fd)) {
      const to = entry.errno === ECONNREFUSED ? parseSocketAddress(entry.to) : undefined;
      if (to) hosts.push(formatIp(to.ip));
    }
    return hosts;
  }

  [Symbol.dispose](): void {
    closeFd(this.fd);
  }
}
